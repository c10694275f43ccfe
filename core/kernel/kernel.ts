import './webassembly.ts';
import { layout, memoryBytes } from '../batch/layout.ts';
import { readDataFile } from '../program/data_file.ts';
import { ProgramArena } from './program_arena.ts';

/** The SIMD kernel and the memory it works on. One per pipeline: batches, programs and results
 *  all live in `bytes`, whose index is the kernel's address. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Buffer;
  readonly code: KernelCode;
  readonly arena: ProgramArena;
}

/** What the compiled module exports; see core/kernel/assembly/index.ts. Numbers are addresses in
 *  the kernel's memory unless their name says otherwise. */
export interface KernelCode {
  splitLines(from: number, end: number, starts: number, ends: number, most: number): number;
  validateObjects(
    count: number,
    starts: number,
    ends: number,
    select: number,
    valid: number,
    lists: number,
    room: number,
    roomEnd: number,
  ): number;
  scanObjects(
    count: number,
    select: number,
    rootStart: number,
    rootEnd: number,
    rootKind: number,
    lists: number,
    keys: number,
    keyCount: number,
    mask: bigint,
    slow: number,
  ): void;
  encodeEvents(frame: number, from: number, count: number, out: number, outEnd: number): number;
  encodeRows(frame: number, from: number, count: number, out: number, outEnd: number): number;
  matchTexts(run: number): number;
  repeatDates(run: number, from: number): number;
  takeCriLines(run: number, from: number): number;
  writeEntries(entries: number, from: number): number;
  writeObjects(frame: number, at: number): number;
  compressFragment(start: number, end: number, table: number, out: number): number;
  readonly staticEnd: WebAssembly.Global;
  readonly encodeStop: WebAssembly.Global;
  readonly encodedEnd: WebAssembly.Global;
  readonly encodedCount: WebAssembly.Global;
  readonly encodedLines: WebAssembly.Global;
  readonly rowsStop: WebAssembly.Global;
  readonly rowsCount: WebAssembly.Global;
}

/** Loads the kernel, or gives undefined where it cannot run (see `openKernel` for why): the same
 *  work is then done in JavaScript. */
export function loadKernel(environment: NodeJS.ProcessEnv = process.env): Kernel | undefined {
  return openKernel(environment).kernel;
}

/** Loads the kernel; without one, `reason` is a sentence that says why. */
export function openKernel(
  environment: NodeJS.ProcessEnv = process.env,
): { kernel: Kernel; reason: undefined } | { kernel: undefined; reason: string } {
  if (environment['SLUICE_KERNEL'] === 'off') return missing('SLUICE_KERNEL is "off".');
  const module = readDataFile('./kernel.wasm', import.meta.url);
  if (module === undefined) return missing('The file kernel.wasm is not beside the program.');
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(module)) {
    return missing('This Node does not run WebAssembly with SIMD.');
  }
  const pages = memoryBytes() / 65536;
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    return missing(`The system does not give ${memoryBytes()} bytes of address space.`);
  }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory } });
  const bytes = Buffer.from(memory.buffer);
  return {
    kernel: {
      memory,
      bytes,
      // The module is ours: its exports are those of assembly/index.ts.
      code: instance.exports as KernelCode,
      arena: new ProgramArena(bytes, layout.programStart, layout.stagingStart),
    },
    reason: undefined,
  };
}

/** True when the arrays live in the kernel's memory, so that it can work on them. */
export function isInKernel(kernel: Kernel, ...arrays: readonly Uint8Array[]): boolean {
  return arrays.every((array) => array.buffer === kernel.memory.buffer);
}

function missing(reason: string): { kernel: undefined; reason: string } {
  return { kernel: undefined, reason };
}
