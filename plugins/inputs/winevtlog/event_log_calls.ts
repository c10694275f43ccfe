import type { Koffi } from '../../shared/windows_native/load_koffi.ts';

/** A handle of Windows: an address. */
export type Handle = bigint | null;

type Done<Result> = (error: Error | null, result: Result) => void;

interface Both<Arguments extends unknown[], Result> {
  (...args: Arguments): Result;
  /** On another thread. */
  async(...args: [...Arguments, Done<Result>]): void;
}

/** The functions of winevt.h and kernel32 that are called, with their C types as JavaScript's. */
export interface EventLogCalls {
  readonly subscribe: Both<
    [Handle, Handle, string | null, string, Handle, null, null, number],
    Handle
  >;
  readonly query: Both<[Handle, string | null, string, number], Handle>;
  readonly next: Both<[Handle, number, Buffer, number, number, Buffer], number>;
  readonly render: (
    context: null,
    fragment: Handle,
    flags: number,
    bytes: number,
    into: Buffer,
    used: Buffer,
    properties: Buffer,
  ) => number;
  readonly createBookmark: (xml: string | null) => Handle;
  readonly updateBookmark: (bookmark: Handle, event: Handle) => number;
  readonly openPublisher: (
    session: Handle,
    publisher: string,
    file: null,
    locale: number,
    flags: number,
  ) => Handle;
  readonly formatMessage: (
    publisher: Handle,
    event: Handle,
    id: number,
    valueCount: number,
    values: null,
    flags: number,
    characters: number,
    into: Buffer,
    used: Buffer,
  ) => number;
  readonly openSession: Both<[number, object, number, number], Handle>;
  readonly close: (handle: Handle) => number;
  readonly createEvent: (security: null, manual: number, set: number, name: null) => Handle;
  readonly resetEvent: (event: Handle) => number;
  readonly waitForOne: (object: Handle, timeoutMs: number) => number;
  readonly closeHandle: (handle: Handle) => number;
  readonly lastError: () => number;
}

/** Declares the functions. Throws where the libraries are not there: on other systems. */
export function eventLogCalls(koffi: Koffi, libraryPath: string): EventLogCalls {
  const events = koffi.load(libraryPath);
  const kernel = koffi.load('kernel32.dll');
  const login = koffi.struct({
    Server: 'const char16_t *',
    User: 'const char16_t *',
    Domain: 'const char16_t *',
    Password: 'const char16_t *',
    Flags: 'uint32_t',
  });
  const pointer = 'void *';
  const text = 'const char16_t *';
  const word = 'uint32_t';
  const declare = (library: typeof events, name: string, result: string, types: unknown[]) =>
    // koffi's types are what is declared here; TypeScript cannot know them.
    library.func('__stdcall', name, result, types as string[]) as never;
  const f = (name: string, result: string, ...types: unknown[]) =>
    declare(events, name, result, types);
  const k = (name: string, result: string, ...types: unknown[]) =>
    declare(kernel, name, result, types);
  return {
    subscribe: f(
      'EvtSubscribe',
      pointer,
      pointer,
      pointer,
      text,
      text,
      pointer,
      pointer,
      pointer,
      word,
    ),
    query: f('EvtQuery', pointer, pointer, text, text, word),
    next: f('EvtNext', 'int', pointer, word, pointer, word, word, pointer),
    render: f('EvtRender', 'int', pointer, pointer, word, word, pointer, pointer, pointer),
    createBookmark: f('EvtCreateBookmark', pointer, text),
    updateBookmark: f('EvtUpdateBookmark', 'int', pointer, pointer),
    openPublisher: f('EvtOpenPublisherMetadata', pointer, pointer, text, text, word, word),
    formatMessage: f(
      'EvtFormatMessage',
      'int',
      pointer,
      pointer,
      word,
      word,
      pointer,
      word,
      word,
      pointer,
      pointer,
    ),
    openSession: f('EvtOpenSession', pointer, 'int', koffi.pointer(login), word, word),
    close: f('EvtClose', 'int', pointer),
    createEvent: k('CreateEventW', pointer, pointer, 'int', 'int', pointer),
    resetEvent: k('ResetEvent', 'int', pointer),
    waitForOne: k('WaitForSingleObject', word, pointer, word),
    closeHandle: k('CloseHandle', 'int', pointer),
    lastError: k('GetLastError', word),
  };
}
