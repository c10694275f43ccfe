import type { Koffi } from '../../../shared/windows_native/load_koffi.ts';
import type { Pointer } from './com_calls.ts';

/** Methods by their place in the interface's table, in the order of wbemcli.h; the first argument
 *  is the interface itself. */
const methods = {
  release: [2, 'uint32_t', ['void *']],
  connectServer: [
    3,
    'int32_t',
    [
      ...['void *', 'void *', 'void *', 'void *', 'void *', 'int32_t', 'void *', 'void *'],
      '_Out_ void **',
    ],
  ],
  execQuery: [20, 'int32_t', ['void *', 'void *', 'void *', 'int32_t', 'void *', '_Out_ void **']],
  nextObjects: [4, 'int32_t', ['void *', 'int32_t', 'uint32_t', 'void *', '_Out_ uint32_t *']],
  get: [
    4,
    'int32_t',
    ['void *', 'const char16_t *', 'int32_t', 'void *', '_Out_ int32_t *', '_Out_ int32_t *'],
  ],
  beginEnumeration: [8, 'int32_t', ['void *', 'int32_t']],
  nextProperty: [
    9,
    'int32_t',
    [...['void *', 'int32_t', '_Out_ void **', 'void *', '_Out_ int32_t *'], '_Out_ int32_t *'],
  ],
  endEnumeration: [10, 'int32_t', ['void *']],
} as const satisfies Record<string, readonly [number, string, readonly string[]]>;

export type WbemMethod = keyof typeof methods;

interface Callable {
  (...values: unknown[]): number;
  async(...values: unknown[]): void;
}

/** Calls methods of WMI's interfaces. One for a process: koffi's types are for good. */
export class WbemMethods {
  private readonly koffi: Koffi;
  private readonly types = new Map<WbemMethod, ReturnType<Koffi['proto']>>();
  private readonly found = new Map<string, Callable>();

  constructor(koffi: Koffi) {
    this.koffi = koffi;
    for (const [name, [, result, values]] of Object.entries(methods)) {
      const text = `${result} __stdcall Wbem_${name}(${values.join(', ')})`;
      // The keys of the table above.
      this.types.set(name as WbemMethod, koffi.proto(text));
    }
  }

  call(self: Pointer, method: WbemMethod, ...values: unknown[]): number {
    return this.callable(self, method)(self, ...values) >>> 0;
  }

  /** On a thread of its own, which takes part in the process' multithreaded apartment. */
  callAsync(self: Pointer, method: WbemMethod, ...values: unknown[]): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, result: number): void =>
        error ? reject(error) : resolve(result >>> 0);
      this.callable(self, method).async(self, ...values, done);
    });
  }

  private callable(self: Pointer, method: WbemMethod): Callable {
    const { koffi } = this;
    const table = koffi.decode(self, 'void *') as bigint;
    const address = koffi.decode(table, methods[method][0] * 8, 'void *') as bigint;
    const key = `${method} ${address}`;
    const known = this.found.get(key);
    if (known !== undefined) return known;
    // koffi makes a function of an address and its type.
    const made = koffi.decode(address, this.types.get(method)!) as Callable;
    this.found.set(key, made);
    return made;
  }
}
