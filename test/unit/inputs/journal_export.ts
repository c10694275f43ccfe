/** Fields of an entry, in order; a name may come several times. */
export type ExportFields = readonly (readonly [name: string, value: string | Buffer])[];

/** Entries as the journal exports them: values with control characters in the binary form. */
export function exported(entries: readonly ExportFields[]): Buffer {
  const parts: Buffer[] = [];
  for (const fields of entries) {
    for (const [name, value] of fields) {
      const bytes = Buffer.from(value);
      const isText = typeof value === 'string' && !/[\u0000-\u001f]/.test(value);
      if (isText) parts.push(Buffer.from(`${name}=`), bytes, Buffer.from('\n'));
      else {
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(bytes.length));
        parts.push(Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n'));
      }
    }
    parts.push(Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

/** An entry of a unit at a time, with what every entry has. */
export function entryOf(
  micros: number,
  unit: string,
  fields: ExportFields,
  cursor?: string,
): ExportFields {
  return [
    ...(cursor === undefined ? [] : ([['__CURSOR', cursor]] as const)),
    ['__REALTIME_TIMESTAMP', String(micros)],
    ['__MONOTONIC_TIMESTAMP', String(micros - 1_600_000_000_000_000)],
    ['_BOOT_ID', '00112233445566778899aabbccddeeff'],
    ['_MACHINE_ID', '00112233445566778899aabbccddeef0'],
    ['_SYSTEMD_UNIT', unit],
    ...fields,
  ];
}
