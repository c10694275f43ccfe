import { assert, readDataFile } from '../../../core/sdk/index.ts';
import type { NameRule, UserAgentData } from './data.ts';

/** What a user agent says of itself, in the shape of the Elastic Common Schema. */
export interface UserAgent {
  /** `Other` when it is not known. */
  readonly name: string;
  readonly version?: string;
  readonly os?: { readonly name: string; readonly version?: string; readonly full: string };
  readonly device: { readonly name: string };
}

/** Longer agents are read up to here: nothing real is longer, and expressions take time. */
const agentLengthMax = 1024;

/** Reads the rules that come with Sluice. */
export async function loadUserAgentParser(): Promise<UserAgentParser> {
  const text = readDataFile('./regexes.json', import.meta.url);
  assert(text !== undefined, 'The build puts regexes.json beside the code.');
  // The file is our own; a test compares it with its source.
  return new UserAgentParser(JSON.parse(text.toString()) as UserAgentData);
}

/** Finds browser, system and device of user agents by the rules of uap-core: in each list the first
 *  expression that matches. Takes 10–50 us an agent; keep results. */
export class UserAgentParser {
  private readonly data: UserAgentData;
  private readonly browsers: RuleList;
  private readonly systems: RuleList;
  private readonly devices: RuleList;
  private readonly literals: LiteralSearch;

  constructor(data: UserAgentData) {
    this.data = data;
    this.browsers = new RuleList(data.browsers);
    this.systems = new RuleList(data.systems);
    this.devices = new RuleList(data.devices);
    this.literals = new LiteralSearch(data.literals);
  }

  parse(agent: string): UserAgent {
    const text = unquoted(agent).slice(0, agentLengthMax);
    this.literals.begin(text.toLowerCase());
    const { literals } = this;
    const browser = nameAndVersion(this.data.browsers, this.browsers.find(text, literals), 3);
    const system = nameAndVersion(this.data.systems, this.systems.find(text, literals), 4);
    return {
      name: browser.name ?? 'Other',
      ...(browser.version === undefined ? {} : { version: browser.version }),
      ...(system.name === undefined ? {} : { os: osOf(system.name, system.version) }),
      device: { name: this.deviceName(this.devices.find(text, literals)) ?? 'Other' },
    };
  }

  private deviceName(found: Found | undefined): string | undefined {
    return found && partOf(this.data.devices[found.rule]![3], 1, found.match);
  }
}

interface Found {
  readonly rule: number;
  readonly match: RegExpExecArray;
}

/** Tells which of many literals a text has. A table of the text's three-letter pieces answers for
 *  nearly all that it does not have. Literals have three letters at least. */
class LiteralSearch {
  private readonly literals: readonly string[];
  private readonly places: readonly number[];
  private text = '';
  private round = 0;
  /** Round in which the text had a piece of this hash. */
  private readonly pieces = new Int32Array(pieceTableSize);

  constructor(literals: readonly string[]) {
    this.literals = literals;
    this.places = literals.map((literal) => pieceHash(literal, 0));
  }

  begin(text: string): void {
    this.text = text;
    this.round++;
    for (let at = 0; at + 2 < text.length; at++) this.pieces[pieceHash(text, at)] = this.round;
  }

  hasOneOf(numbers: readonly number[]): boolean {
    for (let i = 0; i < numbers.length; i++) {
      const literal = numbers[i]!;
      if (this.pieces[this.places[literal]!] !== this.round) continue;
      if (this.text.includes(this.literals[literal]!)) return true;
    }
    return false;
  }
}

const pieceTableSize = 8192;

function pieceHash(text: string, at: number): number {
  const a = text.charCodeAt(at);
  const b = text.charCodeAt(at + 1);
  const c = text.charCodeAt(at + 2);
  return (a ^ (b << 4) ^ (c << 8) ^ (b >>> 2)) & (pieceTableSize - 1);
}

/** Rules in order. Expressions are compiled when an agent first needs them. */
class RuleList {
  private readonly rules: readonly (readonly [string, readonly number[], unknown, ...unknown[]])[];
  private readonly regexes: (RegExp | undefined)[];

  constructor(rules: RuleList['rules']) {
    this.rules = rules;
    this.regexes = rules.map(() => undefined);
  }

  /** `search` has begun with the text. */
  find(text: string, search: LiteralSearch): Found | undefined {
    for (let rule = 0; rule < this.rules.length; rule++) {
      const [source, literals, flags] = this.rules[rule]!;
      if (literals.length > 0 && !search.hasOneOf(literals)) continue;
      this.regexes[rule] ??= new RegExp(source, typeof flags === 'string' ? flags : '');
      const match = this.regexes[rule]!.exec(text);
      if (match !== null) return { rule, match };
    }
    return undefined;
  }
}

function nameAndVersion(
  rules: readonly NameRule[],
  found: Found | undefined,
  versionParts: number,
): { name?: string; version?: string } {
  if (found === undefined) return {};
  const replacements = rules[found.rule]![2];
  const name = partOf(replacements[0], 1, found.match);
  let version: string | undefined;
  for (let part = 1; part <= versionParts; part++) {
    const value = partOf(replacements[part], part + 1, found.match);
    if (value === undefined) break;
    version = version === undefined ? value : `${version}.${value}`;
  }
  return { name, version };
}

/** A replacement with its groups put in, or the group itself; undefined when nothing is left. */
function partOf(
  replacement: string | null | undefined,
  group: number,
  match: RegExpExecArray,
): string | undefined {
  const text =
    replacement?.replace(/\$(\d)/g, (_, digit: string) => match[Number(digit)] ?? '') ??
    match[group];
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}

function osOf(name: string, version: string | undefined) {
  return version === undefined
    ? { name, full: name }
    : { name, version, full: `${name} ${version}` };
}

/** Apache's patterns capture the agent with its quotes. */
function unquoted(agent: string): string {
  const isQuoted = agent.length > 1 && agent.startsWith('"') && agent.endsWith('"');
  return isQuoted ? agent.slice(1, -1) : agent;
}
