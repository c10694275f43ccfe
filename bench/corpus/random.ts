/** A number from 0 up to, not including, `below`. */
export type Random = (below: number) => number;

/** Xorshift of 32 bits: the same numbers for the same seed, on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 4294967296) * below);
  };
}

export function pick<T>(from: readonly T[], random: Random): T {
  return from[random(from.length)]!;
}

export function hexDigits(count: number, random: Random): string {
  let text = '';
  for (let i = 0; i < count; i++) text += '0123456789abcdef'[random(16)];
  return text;
}

/** Digits, letters and dashes of an identifier or a word nobody has seen before. */
export function token(length: number, random: Random): string {
  let text = '';
  for (let i = 0; i < length; i++) text += 'abcdefghijklmnopqrstuvwxyz0123456789'[random(36)];
  return text;
}
