import type { Koffi } from '../../../plugins/shared/windows_native/load_koffi.ts';

/** A handle of the service control manager: an address. */
export type Handle = bigint | null;

/** The functions of winsvc.h and kernel32 that are called. Structures go in and out as bytes. */
export interface ControlCalls {
  openManager(machine: null, database: null, access: number): Handle;
  createService(
    manager: Handle,
    name: string,
    displayName: string,
    access: number,
    type: number,
    start: number,
    errorControl: number,
    commandLine: string,
    group: null,
    tag: null,
    dependencies: Buffer | null,
    account: string | null,
    password: string | null,
  ): Handle;
  openService(manager: Handle, name: string, access: number): Handle;
  changeConfig(
    service: Handle,
    type: number,
    start: number,
    errorControl: number,
    commandLine: string,
    group: null,
    tag: null,
    dependencies: null,
    account: null,
    password: null,
    displayName: null,
  ): number;
  changeConfig2(service: Handle, level: number, info: Buffer): number;
  queryConfig(service: Handle, into: Buffer, bytes: number, needed: Buffer): number;
  queryStatus(service: Handle, level: number, into: Buffer, bytes: number, needed: Buffer): number;
  startService(service: Handle, count: number, words: null): number;
  control(service: Handle, control: number, status: Buffer): number;
  deleteService(service: Handle): number;
  closeHandle(handle: Handle): number;
  lastError(): number;
}

/** What a process calls that runs as a service. */
export interface ServiceCalls {
  readonly startDispatcher: {
    async(table: Buffer, done: (error: Error | null, result: number) => void): void;
  };
  registerHandler(name: string, handler: bigint, context: null): Handle;
  setStatus(handle: Handle, status: Buffer): number;
  lastError(): number;
}

const pointer = 'void *';
const text = 'const char16_t *';
const word = 'uint32_t';

/** Declares the functions that install and control services. Throws elsewhere than on Windows. */
export function controlCalls(koffi: Koffi): ControlCalls {
  const { declare, lastError } = declaring(koffi);
  return {
    openManager: declare('OpenSCManagerW', pointer, text, text, word),
    createService: declare(
      'CreateServiceW',
      pointer,
      ...[pointer, text, text, word, word, word, word, text, text, pointer, pointer, text, text],
    ),
    openService: declare('OpenServiceW', pointer, pointer, text, word),
    changeConfig: declare(
      'ChangeServiceConfigW',
      'int',
      ...[pointer, word, word, word, text, text, pointer, text, text, text, text],
    ),
    changeConfig2: declare('ChangeServiceConfig2W', 'int', pointer, word, pointer),
    queryConfig: declare('QueryServiceConfigW', 'int', pointer, pointer, word, pointer),
    queryStatus: declare('QueryServiceStatusEx', 'int', pointer, word, pointer, word, pointer),
    startService: declare('StartServiceW', 'int', pointer, word, pointer),
    control: declare('ControlService', 'int', pointer, word, pointer),
    deleteService: declare('DeleteService', 'int', pointer),
    closeHandle: declare('CloseServiceHandle', 'int', pointer),
    lastError,
  };
}

/** Declares the functions of a service itself. */
export function serviceCalls(koffi: Koffi): ServiceCalls {
  const { declare, lastError } = declaring(koffi);
  return {
    startDispatcher: declare('StartServiceCtrlDispatcherW', 'int', pointer),
    registerHandler: declare('RegisterServiceCtrlHandlerExW', pointer, text, pointer, pointer),
    setStatus: declare('SetServiceStatus', 'int', pointer, pointer),
    lastError,
  };
}

function declaring(koffi: Koffi) {
  const library = koffi.load('advapi32.dll');
  // koffi's types are what is declared here; TypeScript cannot know them.
  const declare = (name: string, result: string, ...types: string[]) =>
    library.func('__stdcall', name, result, types) as never;
  const lastError = koffi
    .load('kernel32.dll')
    .func('__stdcall', 'GetLastError', word, []) as unknown as () => number;
  return { declare, lastError };
}
