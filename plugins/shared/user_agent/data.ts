/** An expression, the numbers of the literals of which a match has at least one (none: unknown),
 *  and what stands for the name and the parts of the version: a text with `$1`, or null for the
 *  group of that number. Missing at the end means null. */
export type NameRule = readonly [
  regex: string,
  literals: readonly number[],
  replacements: readonly (string | null)[],
];

/** An expression, literals as above, flags, and what stands for the name. */
export type DeviceRule = readonly [
  regex: string,
  literals: readonly number[],
  flags: string,
  name: string | null,
];

/** Shape of `regexes.json`, which scripts/generate_user_agents.ts makes. */
export interface UserAgentData {
  readonly source: string;
  readonly licence: string;
  /** In lower case. */
  readonly literals: readonly string[];
  readonly browsers: readonly NameRule[];
  readonly systems: readonly NameRule[];
  readonly devices: readonly DeviceRule[];
}
