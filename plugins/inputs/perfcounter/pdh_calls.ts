import type { Koffi } from '../../shared/windows_native/load_koffi.ts';

/** A handle of PDH: an address. */
export type Handle = bigint | null;

/** The functions of pdh.h that are called, with their C types as JavaScript's. All give a
 *  PDH_STATUS. */
export interface PdhCalls {
  readonly openQuery: (source: null, userData: bigint, into: Handle[]) => number;
  readonly addEnglishCounter: (
    query: Handle,
    path: string,
    userData: bigint,
    into: Handle[],
  ) => number;
  readonly collect: {
    async(query: Handle, done: (error: Error | null, status: number) => void): void;
  };
  readonly formattedArray: (
    counter: Handle,
    format: number,
    bytes: number[],
    count: number[],
    into: Buffer | null,
  ) => number;
  readonly enumerateObjects: (
    source: null,
    machine: null,
    into: null,
    characters: number[],
    detail: number,
    refresh: number,
  ) => number;
  readonly closeQuery: (query: Handle) => number;
}

/** Declares the functions. Throws where the library is not there: on other systems. */
export function pdhCalls(koffi: Koffi, libraryPath: string): PdhCalls {
  const library = koffi.load(libraryPath);
  const pointer = 'void *';
  const word = 'uint32_t';
  const text = 'const char16_t *';
  const out = koffi.out(koffi.pointer(pointer));
  const both = koffi.inout(koffi.pointer(word));
  // koffi's types are what is declared here; TypeScript cannot know them.
  const f = (name: string, ...types: unknown[]) =>
    library.func('__stdcall', name, word, types as string[]) as never;
  return {
    openQuery: f('PdhOpenQueryW', pointer, 'uint64_t', out),
    addEnglishCounter: f('PdhAddEnglishCounterW', pointer, text, 'uint64_t', out),
    collect: f('PdhCollectQueryData', pointer),
    formattedArray: f('PdhGetFormattedCounterArrayW', pointer, word, both, both, pointer),
    enumerateObjects: f('PdhEnumObjectsW', text, text, pointer, both, word, 'int'),
    closeQuery: f('PdhCloseQuery', pointer),
  };
}
