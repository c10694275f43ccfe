import { loadKoffi } from '../../../shared/windows_native/load_koffi.ts';
import type { DriveSpace, WindowsKernel } from './windows_kernel.ts';

/** Classes of NtQuerySystemInformation. */
const performanceClass = 2;
const processClass = 5;
const processorClass = 8;
const lengthMismatch = 0xc0000004;
const queryBytesMax = 64 * 1024 * 1024;
const driveFixed = 3;
const driveRamDisk = 6;
const interfacesMax = 4096;
const interfaceBytes = 1352;
/** Of winioctl.h. */
const ioctlDiskPerformance = 0x70020;
const openExisting = 3;
const shareAll = 7;
const invalidHandle = 0xffffffffffffffffn;

/** The kernel of this machine, by its own functions. Throws where there are none: elsewhere. */
export async function openKernel(): Promise<WindowsKernel> {
  const koffi = await loadKoffi();
  const libraries = new Map<string, ReturnType<typeof koffi.load>>();
  const declare = (library: string, name: string, result: string, types: unknown[]) => {
    const loaded = libraries.get(library) ?? koffi.load(library);
    libraries.set(library, loaded);
    // koffi's types are what is declared here; TypeScript cannot know them.
    return loaded.func('__stdcall', name, result, types as string[]) as (
      ...values: unknown[]
    ) => number | bigint | null;
  };
  const [p, word, int, text] = ['void *', 'uint32_t', 'int', 'const char16_t *'];
  const query = declare('ntdll.dll', 'NtQuerySystemInformation', 'int32_t', [word, p, word, p]);
  const memory = declare('kernel32.dll', 'GlobalMemoryStatusEx', int, [p]);
  const totals = declare('psapi.dll', 'GetPerformanceInfo', int, [p, word]);
  const ticks = declare('kernel32.dll', 'GetTickCount64', 'uint64_t', []);
  const drives = declare('kernel32.dll', 'GetLogicalDrives', word, []);
  const driveType = declare('kernel32.dll', 'GetDriveTypeW', word, [text]);
  const freeSpace = declare('kernel32.dll', 'GetDiskFreeSpaceExW', int, [text, p, p, p]);
  const createFile = declare('kernel32.dll', 'CreateFileW', p, [
    ...[text, word, word, p, word, word, p],
  ]);
  const control = declare('kernel32.dll', 'DeviceIoControl', int, [
    ...[p, word, p, word, p, word, p, p],
  ]);
  const closeHandle = declare('kernel32.dll', 'CloseHandle', int, [p]);
  const out = koffi.out(koffi.pointer(p));
  const interfaceTable = declare('iphlpapi.dll', 'GetIfTable2', word, [out]);
  const freeTable = declare('iphlpapi.dll', 'FreeMibTable', 'void', [p]);

  const system = (kind: number, bytes: number): Buffer => {
    const used = Buffer.alloc(4);
    for (let size = bytes; size <= queryBytesMax; size *= 2) {
      const into = Buffer.alloc(size);
      const status = Number(query(kind, into, size, used)) >>> 0;
      if (status === 0) return into.subarray(0, Math.min(used.readUInt32LE(), size));
      if (status !== lengthMismatch) throw failed('NtQuerySystemInformation', status);
    }
    throw failed('NtQuerySystemInformation', lengthMismatch);
  };
  const filled = (name: string, bytes: number, fill: (into: Buffer) => unknown): Buffer => {
    const into = Buffer.alloc(bytes);
    into.writeUInt32LE(bytes);
    if (!fill(into)) throw new Error(`${name} failed`);
    return into;
  };
  return {
    processors: () => system(processorClass, 48 * 64),
    performance: () => system(performanceClass, 4096),
    processes: () => {
      const bytes = system(processClass, 256 * 1024);
      return { bytes, address: BigInt(koffi.address(bytes)) };
    },
    memory: () => filled('GlobalMemoryStatusEx', 64, (into) => memory(into)),
    totals: () => filled('GetPerformanceInfo', 104, (into) => totals(into, 104)),
    upMs: () => Number(ticks()),
    interfaces: () => {
      const table: (bigint | null)[] = [null];
      const status = Number(interfaceTable(table));
      if (status !== 0) throw failed('GetIfTable2', status);
      try {
        const count = Math.min(koffi.decode(table[0]!, word) as number, interfacesMax);
        return Buffer.from(new Uint8Array(koffi.view(table[0]!, 8 + count * interfaceBytes)));
      } finally {
        freeTable(table[0]!);
      }
    },
    drives: () => {
      const mask = Number(drives());
      const names = Array.from({ length: 26 }, (_, at) => `${String.fromCharCode(65 + at)}:`);
      return names.filter((name, at) => {
        if (((mask >>> at) & 1) === 0) return false;
        // Others may be a network that is down, or a medium that is not in.
        const type = Number(driveType(`${name}\\`));
        return type === driveFixed || type === driveRamDisk;
      });
    },
    space: (drive): DriveSpace | undefined => {
      const [mine, size, free] = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(8)];
      if (!freeSpace(`${drive}\\`, mine, size, free)) return undefined;
      return {
        freeBytes: Number(free.readBigUInt64LE()),
        sizeBytes: Number(size.readBigUInt64LE()),
      };
    },
    diskPerformance: (drive) => {
      // No access is asked for, so that no rights are needed.
      const handle = createFile(`\\\\.\\${drive}`, 0, shareAll, null, openExisting, 0, null);
      if (handle === null || BigInt.asUintN(64, BigInt(handle)) === invalidHandle) return undefined;
      try {
        const [into, used] = [Buffer.alloc(88), Buffer.alloc(4)];
        const isDone = control(handle, ioctlDiskPerformance, null, 0, into, 88, used, null);
        return isDone && used.readUInt32LE() >= 56 ? into : undefined;
      } finally {
        closeHandle(handle);
      }
    },
  };
}

function failed(name: string, code: number): Error {
  return new Error(`${name} failed with 0x${code.toString(16)}`);
}
