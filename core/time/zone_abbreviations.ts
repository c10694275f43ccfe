/** Zone abbreviations that mean one offset in practice, in minutes east of UTC.
 *  Those with several lives (IST, ECT, ...) are left out: such a text is refused, not guessed. North America wins
 *  for CST and its kin, as in RFC 5322 §4.3. */
const abbreviations: Readonly<Record<string, number>> = {
  Z: 0,
  UT: 0,
  UTC: 0,
  GMT: 0,
  WET: 0,
  WEST: 60,
  BST: 60,
  CET: 60,
  CEST: 120,
  MET: 60,
  MEST: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  SAST: 120,
  HKT: 480,
  SGT: 480,
  AWST: 480,
  JST: 540,
  KST: 540,
  ACST: 570,
  ACDT: 630,
  AEST: 600,
  AEDT: 660,
  NZST: 720,
  NZDT: 780,
  NST: -210,
  NDT: -150,
  AST: -240,
  ADT: -180,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
  AKST: -540,
  AKDT: -480,
  HST: -600,
};

/** Packs letters into one number, so that a look-up needs no string. */
function packLetter(packed: number, code: number): number {
  return packed * 32 + (code & 31);
}

const offsetsByKey: ReadonlyMap<number, number> = new Map(
  Object.entries(abbreviations).map(([name, minutes]) => {
    let key = 0;
    for (const letter of name) key = packLetter(key, letter.charCodeAt(0));
    return [key, minutes * 60];
  }),
);

/** Finds the offset, in seconds, that the letters in `bytes` from `start` to `end` abbreviate. */
export function abbreviationOffset(
  bytes: Uint8Array,
  start: number,
  end: number,
): number | undefined {
  if (end - start > 5) return undefined;
  let key = 0;
  for (let at = start; at < end; at++) key = packLetter(key, bytes[at]!);
  return offsetsByKey.get(key);
}
