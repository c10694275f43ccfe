import { SluiceError } from '../errors/sluice_error.ts';

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  byte: 1,
  bytes: 1,
  k: 1e3,
  kb: 1e3,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
  t: 1e12,
  tb: 1e12,
  tib: 1024 ** 4,
};

/** Reads a size as people write it, and gives whole bytes, rounded down.
 *  In: `64k`, `1.5 MB`, `10MiB`, in either letter case; a bare number, or text of one, counts in bytes. K, M, G and T are
 *  powers of 1000 (Fluent Bit), KiB, MiB, GiB and TiB of 1024.
 *  Errors: SLUICE_OPTION_INVALID for anything else, negative numbers included. */
export function parseByteSize(value: string | number): number {
  if (typeof value === 'number') return checked(value, value);
  const match = /^([0-9]*\.?[0-9]+)\s*([a-z]*)$/i.exec(value.trim());
  if (match === null) throw invalid(value, 'is not a number with a unit');
  const name = match[2]!.toLowerCase();
  const unit = Object.hasOwn(unitBytes, name) ? unitBytes[name] : undefined;
  if (unit === undefined) throw invalid(value, `has the unknown unit "${match[2]}"`);
  return checked(value, Number(match[1]) * unit);
}

function checked(value: string | number, bytes: number): number {
  if (!(bytes >= 0)) throw invalid(value, 'is negative or no number');
  if (bytes > Number.MAX_SAFE_INTEGER) throw invalid(value, 'is too large');
  // A product such as 4.35 * 100 falls just short of the whole number it means.
  return Math.floor(bytes + 1e-6);
}

function invalid(value: string | number, problem: string): SluiceError {
  return new SluiceError(
    'SLUICE_OPTION_INVALID',
    `Size "${value}" ${problem}; write bytes, or a number with KB, MB, GB, KiB, MiB or GiB, such as 64MB.`,
  );
}
