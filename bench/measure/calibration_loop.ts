import { mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fixed amount of work of the kinds that an agent does, which no change of the product changes:
 *  scanning bytes in JavaScript and in WebAssembly, copying, reading a file. Prints the CPU-seconds
 *  of the work alone. */
const rounds = 36;
const blockBytes = 4 << 20;

const block = Buffer.alloc(blockBytes);
for (let i = 0; i < blockBytes; i++) block[i] = (i * 2_654_435_761) >>> 24;
const directory = mkdtempSync(join(tmpdir(), 'sluice-calibration-'));
const path = join(directory, 'block');
writeFileSync(path, block);
const pages = blockBytes >> 16;
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
const sumInWasm = wasmSum(memory);
let result = 0;
work(2);
const before = process.cpuUsage();
work(rounds);
const { user, system } = process.cpuUsage(before);
rmSync(directory, { recursive: true });
// The result is used, so that no engine may leave the work out.
if (Number.isNaN(result)) throw new Error('unreachable');
console.log((user + system) / 1e6);

function work(times: number): void {
  const file = openSync(path, 'r');
  const view = Buffer.from(memory.buffer, 0, blockBytes);
  for (let round = 0; round < times; round++) {
    for (let at = 0; at < blockBytes; ) {
      at += readSync(file, view, at, Math.min(1 << 18, blockBytes - at), at);
    }
    result += countLines(view);
    result += sumInWasm(blockBytes);
    view.copy(block);
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  let hash = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    hash = (Math.imul(hash, 31) + byte) | 0;
    if (byte === 10) lines++;
  }
  return lines + (hash & 1);
}

/** `sum(n)`: adds up the first n bytes of the memory, one by one. */
function wasmSum(imported: WebAssembly.Memory): (bytes: number) => number {
  const code = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // type 0: (i32) -> i32
    ...[1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f],
    // import "m" "m": memory of at least one page
    ...[2, 8, 1, 1, 0x6d, 1, 0x6d, 2, 0, 1],
    // one function of type 0, exported as "s"
    ...[3, 2, 1, 0],
    ...[7, 5, 1, 1, 0x73, 0, 0],
    ...[10, 36, 1, 34],
    // two locals: 1 = position, 2 = sum
    ...[1, 2, 0x7f],
    ...[3, 0x40],
    // sum = sum * 31 + memory[position]
    ...[0x20, 2, 0x41, 31, 0x6c, 0x20, 1, 0x2d, 0, 0, 0x6a, 0x21, 2],
    // position += 1; again while position < n
    ...[0x20, 1, 0x41, 1, 0x6a, 0x22, 1, 0x20, 0, 0x48, 0x0d, 0, 0x0b],
    ...[0x20, 2, 0x0b],
  ]);
  const module = new WebAssembly.Module(code);
  const instance = new WebAssembly.Instance(module, { m: { m: imported } });
  // As the code above declares it.
  return (instance.exports as { s: (bytes: number) => number }).s;
}
