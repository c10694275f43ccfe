import type { Koffi } from '../../../shared/windows_native/load_koffi.ts';

/** An address: of an interface, a BSTR, an array. */
export type Pointer = bigint | null;

/** Functions of ole32.dll and oleaut32.dll, with their C types as JavaScript's. */
export interface ComCalls {
  readonly initialize: (reserved: null, flags: number) => number;
  readonly initializeSecurity: (...values: (number | null)[]) => number;
  readonly createInstance: (
    classId: Buffer,
    outer: null,
    context: number,
    interfaceId: Buffer,
    into: Pointer[],
  ) => number;
  readonly setProxyBlanket: (
    proxy: Pointer,
    authentication: number,
    authorization: number,
    principal: null,
    level: number,
    impersonation: number,
    identity: Buffer | null,
    capabilities: number,
  ) => number;
  readonly allocateText: (text: string) => bigint;
  readonly freeText: (text: Pointer) => void;
  readonly textLength: (text: Pointer) => number;
  readonly clearVariant: (variant: Buffer) => number;
  readonly lowerBound: (array: Pointer, dimension: number, into: number[]) => number;
  readonly upperBound: (array: Pointer, dimension: number, into: number[]) => number;
  readonly accessData: (array: Pointer, into: Pointer[]) => number;
  readonly unaccessData: (array: Pointer) => number;
  readonly elementBytes: (array: Pointer) => number;
}

/** Declares the functions. Throws where the libraries are not there: on other systems. */
export function comCalls(koffi: Koffi): ComCalls {
  const ole = koffi.load('ole32.dll');
  const automation = koffi.load('oleaut32.dll');
  const p = 'void *';
  const word = 'uint32_t';
  const int = 'int32_t';
  // koffi's types are what is declared here; TypeScript cannot know them.
  const declare = (library: typeof ole, name: string, result: string, types: unknown[]) =>
    library.func('__stdcall', name, result, types as string[]) as never;
  const o = (name: string, ...types: unknown[]) => declare(ole, name, int, types);
  const a = (name: string, result: string, ...types: unknown[]) =>
    declare(automation, name, result, types);
  const outPointer = koffi.out(koffi.pointer(p));
  const outInt = koffi.out(koffi.pointer(int));
  return {
    initialize: o('CoInitializeEx', p, word),
    initializeSecurity: o('CoInitializeSecurity', p, int, p, p, word, word, p, word, p),
    createInstance: o('CoCreateInstance', p, p, word, p, outPointer),
    setProxyBlanket: o('CoSetProxyBlanket', p, word, word, p, word, word, p, word),
    allocateText: a('SysAllocString', p, 'const char16_t *'),
    freeText: a('SysFreeString', 'void', p),
    textLength: a('SysStringLen', word, p),
    clearVariant: a('VariantClear', int, p),
    lowerBound: a('SafeArrayGetLBound', int, p, word, outInt),
    upperBound: a('SafeArrayGetUBound', int, p, word, outInt),
    accessData: a('SafeArrayAccessData', int, p, outPointer),
    unaccessData: a('SafeArrayUnaccessData', int, p),
    elementBytes: a('SafeArrayGetElemsize', word, p),
  };
}
