const ranks: ReadonlyMap<string, number> = new Map([
  ['trace', 0],
  ['debug', 1],
  ['info', 2],
  ['information', 2],
  ['informational', 2],
  ['notice', 3],
  ['warn', 4],
  ['warning', 4],
  ['err', 5],
  ['error', 5],
  ['crit', 6],
  ['critical', 6],
  ['fatal', 6],
  ['alert', 7],
  ['emerg', 8],
  ['emergency', 8],
  ['panic', 8],
]);

const wordLengthMax = 13;

/** The rank of a severity word, from trace (0) to emergency (8), whatever its case; else undefined. */
export function severityRank(word: string): number | undefined {
  if (word.length > wordLengthMax || word.length < 3) return undefined;
  return ranks.get(word) ?? ranks.get(word.toLowerCase());
}
