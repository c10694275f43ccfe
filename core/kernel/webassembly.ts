// The part of the WebAssembly interface that the kernel uses; the Node types leave it out.
declare global {
  namespace WebAssembly {
    class Memory {
      constructor(limits: { initial: number; maximum: number });
      readonly buffer: ArrayBuffer;
    }
    class Module {
      constructor(bytes: Uint8Array);
    }
    class Instance {
      constructor(module: Module, imports: Record<string, Record<string, unknown>>);
      readonly exports: unknown;
    }
    class Global {
      readonly value: number;
    }
    function validate(bytes: Uint8Array): boolean;
  }
}

export {};
