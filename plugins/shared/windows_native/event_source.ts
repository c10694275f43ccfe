import type { Koffi } from './load_koffi.ts';

/** A name under which programs write into a log, and the log it belongs to. */
export interface EventSource {
  readonly log: string;
  readonly name: string;
}

export type Registration =
  | 'present'
  | 'made'
  /** Windows' error code: 5 without the rights of an administrator. */
  | { readonly code: number };

/** Values of winreg.h and winnt.h. A predefined key is a sign-extended handle. */
const localMachine = -0x7ffffffen;
const keyRead = 0x20019;
const keyWrite = 0x20006;
const expandableText = 2;
const doubleWord = 4;
/** Error, warning, information. */
const typesSupported = 7;
/** Part of Windows: its messages 1 to 1000 are the event's text and nothing else. */
const messageFile = '%SystemRoot%\\System32\\EventCreate.exe';

/** Ids of events whose text Event Viewer shows as it is. */
export const eventIdMax = 1000;

/** Registers a source unless it is there, so that Event Viewer shows texts without saying that it
 *  has no description. Source: "Event Sources" of Windows' Event Logging. */
export function registerEventSource(koffi: Koffi, source: EventSource): Registration {
  const registry = registryCalls(koffi);
  const path = keyPath(source);
  const key = Buffer.alloc(8);
  if (registry.open(localMachine, path, 0, keyRead, key) === 0) {
    registry.close(key.readBigInt64LE());
    return 'present';
  }
  const code = registry.create(localMachine, path, 0, null, 0, keyWrite, null, key, null);
  if (code !== 0) return { code };
  const handle = key.readBigInt64LE();
  try {
    const text = Buffer.from(`${messageFile}\0`, 'utf16le');
    const failed = [
      registry.set(handle, 'EventMessageFile', 0, expandableText, text, text.length),
      registry.set(handle, 'TypesSupported', 0, doubleWord, word(typesSupported), 4),
      // EventCreate itself uses only sources that are marked so.
      registry.set(handle, 'CustomSource', 0, doubleWord, word(1), 4),
    ].find((status) => status !== 0);
    return failed === undefined ? 'made' : { code: failed };
  } finally {
    registry.close(handle);
  }
}

/** Removes what `registerEventSource` made; a source that is not there is fine. Returns Windows'
 *  error code, 0 when all is well. */
export function removeEventSource(koffi: Koffi, source: EventSource): number {
  const code = registryCalls(koffi).remove(localMachine, keyPath(source));
  return code === fileNotFound ? 0 : code;
}

const fileNotFound = 2;

function keyPath({ log, name }: EventSource): string {
  return `SYSTEM\\CurrentControlSet\\Services\\EventLog\\${log}\\${name}`;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

interface RegistryCalls {
  open(key: bigint, path: string, options: number, access: number, result: Buffer): number;
  create(
    key: bigint,
    path: string,
    reserved: number,
    kind: null,
    options: number,
    access: number,
    security: null,
    result: Buffer,
    disposition: null,
  ): number;
  set(
    key: bigint,
    name: string,
    reserved: number,
    type: number,
    data: Buffer,
    bytes: number,
  ): number;
  remove(key: bigint, path: string): number;
  close(key: bigint): number;
}

function registryCalls(koffi: Koffi): RegistryCalls {
  const library = koffi.load('advapi32.dll');
  const key = 'int64_t';
  const text = 'const char16_t *';
  const data = 'void *';
  const number = 'uint32_t';
  // koffi's types are what is declared here; TypeScript cannot know them.
  const declare = (name: string, ...types: string[]) =>
    library.func('__stdcall', name, 'int32_t', types) as never;
  return {
    open: declare('RegOpenKeyExW', key, text, number, number, data),
    create: declare(
      'RegCreateKeyExW',
      ...[key, text, number, text, number, number, data, data, data],
    ),
    set: declare('RegSetValueExW', key, text, number, number, data, number),
    remove: declare('RegDeleteKeyW', key, text),
    close: declare('RegCloseKey', key),
  };
}
