const units: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/** Bytes of a text such as `400MB` or `2GB` (powers of ten). Throws on anything else. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?B|)$/i.exec(text);
  if (match === null) throw new Error(`${text} is no size: write it like 400MB or 2GB`);
  return Number(match[1]) * units[match[2]!.toUpperCase()]!;
}

export function parseCount(text: string): number {
  const count = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`${text} is no positive number`);
  return count;
}
