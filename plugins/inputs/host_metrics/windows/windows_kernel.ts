/** What Windows' kernel says, as bytes in its own layout for 64 bits; the readers beside this file
 *  know the offsets. No call needs rights, and none asks a network. */
export interface WindowsKernel {
  /** SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION, one a processor. */
  processors(): Buffer;
  /** SYSTEM_PERFORMANCE_INFORMATION. */
  performance(): Buffer;
  /** SYSTEM_PROCESS_INFORMATION, chained, and where it lies: names in it are addresses. */
  processes(): { readonly bytes: Buffer; readonly address: bigint };
  /** MEMORYSTATUSEX. */
  memory(): Buffer;
  /** PERFORMANCE_INFORMATION. */
  totals(): Buffer;
  /** MIB_IF_TABLE2. */
  interfaces(): Buffer;
  /** Milliseconds since the system started. */
  upMs(): number;
  /** Fixed drives and RAM disks, as `C:`. */
  drives(): string[];
  /** Undefined for a drive that gives no answer. */
  space(drive: string): DriveSpace | undefined;
  /** DISK_PERFORMANCE; undefined where the drive keeps no count. */
  diskPerformance(drive: string): Buffer | undefined;
}

export interface DriveSpace {
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

/** 100 ns, which Windows counts time in. */
export const ticksPerSecond = 1e7;

export function seconds(bytes: Buffer, at: number): number {
  return Number(bytes.readBigInt64LE(at)) / ticksPerSecond;
}

export function count64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
