import type { Koffi } from '../../../plugins/shared/windows_native/load_koffi.ts';

/** Structures of winsvc.h as bytes, for 64-bit Windows. Memory that a structure points to must be
 *  held until the call is done: each comes with it in `held`. */
export interface Structure {
  readonly bytes: Buffer;
  readonly held: readonly Buffer[];
}

/** Text as Windows has it, with its end. */
export function wideText(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le');
}

/** SERVICE_DESCRIPTIONW. */
export function descriptionStructure(koffi: Koffi, description: string): Structure {
  const text = wideText(description);
  return { bytes: pointers(koffi, text), held: [text] };
}

/** SERVICE_FAILURE_ACTIONSW with restarts only, the last of which is repeated. */
export function failureActions(
  koffi: Koffi,
  resetSeconds: number,
  delaysMs: readonly number[],
): Structure {
  const actions = words(delaysMs.flatMap((delayMs) => [restart, delayMs]));
  const bytes = Buffer.alloc(40);
  bytes.writeUInt32LE(resetSeconds, 0);
  bytes.writeUInt32LE(delaysMs.length, 24);
  bytes.writeBigUInt64LE(koffi.address(actions), 32);
  return { bytes, held: [actions] };
}

/** SC_ACTION_RESTART. */
const restart = 1;

/** A structure of 32-bit words alone: SERVICE_DELAYED_AUTO_START_INFO, SERVICE_PRESHUTDOWN_INFO. */
export function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32LE(value, 4 * at);
  return bytes;
}

/** SERVICE_TABLE_ENTRYW[2]: one service and the end. */
export function serviceTable(koffi: Koffi, name: Buffer, main: bigint): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64LE(koffi.address(name), 0);
  bytes.writeBigUInt64LE(main, 8);
  return bytes;
}

/** SERVICE_STATUS. */
export interface StatusFields {
  readonly state: number;
  readonly accepted?: number;
  /** Exit code of the service; a code of its own, where it is not 0. */
  readonly exitCode?: number;
  readonly checkPoint?: number;
  readonly waitHintMs?: number;
}

const ownProcess = 0x10;
/** ERROR_SERVICE_SPECIFIC_ERROR: the code beside it says what. */
const specificError = 1066;

export function statusStructure(fields: StatusFields): Buffer {
  const { state, accepted = 0, exitCode = 0, checkPoint = 0, waitHintMs = 0 } = fields;
  const code = exitCode === 0 ? 0 : specificError;
  return words([ownProcess, state, accepted, code, exitCode, checkPoint, waitHintMs]);
}

/** What SERVICE_STATUS_PROCESS says. */
export interface ProcessStatus {
  readonly state: number;
  readonly win32Code: number;
  readonly specificCode: number;
  readonly checkPoint: number;
  readonly waitHintMs: number;
  readonly processId: number;
}

export const processStatusBytes = 36;

export function readProcessStatus(bytes: Buffer): ProcessStatus {
  return {
    state: bytes.readUInt32LE(4),
    win32Code: bytes.readUInt32LE(12),
    specificCode: bytes.readUInt32LE(16),
    checkPoint: bytes.readUInt32LE(20),
    waitHintMs: bytes.readUInt32LE(24),
    processId: bytes.readUInt32LE(28),
  };
}

/** What QUERY_SERVICE_CONFIGW says. */
export interface ServiceConfig {
  readonly startType: number;
  readonly commandLine: string;
  readonly account: string;
}

/** Its texts lie in the same bytes, behind the structure. */
export function readServiceConfig(koffi: Koffi, bytes: Buffer): ServiceConfig {
  const base = koffi.address(bytes);
  const textAt = (offset: number): string => {
    const address = bytes.readBigUInt64LE(offset);
    if (address === 0n) return '';
    const start = Number(address - base);
    let end = start;
    while (end + 2 <= bytes.length && bytes.readUInt16LE(end) !== 0) end += 2;
    return bytes.toString('utf16le', start, end);
  };
  return { startType: bytes.readUInt32LE(4), commandLine: textAt(16), account: textAt(48) };
}

function pointers(koffi: Koffi, ...targets: readonly Buffer[]): Buffer {
  const bytes = Buffer.alloc(8 * targets.length);
  for (const [at, target] of targets.entries()) {
    bytes.writeBigUInt64LE(koffi.address(target), 8 * at);
  }
  return bytes;
}
