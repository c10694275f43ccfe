import { assert, readDataFile } from '../../../core/sdk/index.ts';
import { ByteCache } from '../lookup_table/byte_cache.ts';
import type { NameRule, UserAgentData } from './data.ts';
import { hasDigits, withoutDigits } from './digit_free.ts';

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
  /** By agents whose digits are all 0. */
  private readonly shapes = new ByteCache<readonly ListShape[]>(shapesMax);
  private readonly masked = Buffer.alloc(agentLengthMax);

  constructor(data: UserAgentData) {
    this.data = data;
    this.browsers = new RuleList(data.browsers, data.literals);
    this.systems = new RuleList(data.systems, data.literals);
    this.devices = new RuleList(data.devices, data.literals);
    this.literals = new LiteralSearch(data.literals);
  }

  parse(agent: string): UserAgent {
    const text = unquoted(agent).slice(0, agentLengthMax);
    this.literals.begin(text.toLowerCase());
    const { literals } = this;
    return this.answer(
      this.browsers.find(text, literals),
      this.systems.find(text, literals),
      this.devices.find(text, literals),
    );
  }

  /** As `parse`, for an agent as bytes. Agents that differ in digits alone share most of the work. */
  parseAt(bytes: Buffer, start: number, end: number): UserAgent {
    const agent = bytes.utf8Slice(start, end);
    if (end - start > agentLengthMax) return this.parse(agent);
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      this.masked[at - start] = byte >= 0x30 && byte <= 0x39 ? 0x30 : byte;
    }
    const text = unquoted(agent);
    const lower = text.toLowerCase();
    let shape = this.shapes.find(this.masked, 0, end - start);
    if (shape === undefined) {
      this.literals.begin(lower);
      shape = [this.browsers, this.systems, this.devices].map((list) =>
        list.shapeOf(text, lower, this.literals),
      );
      this.shapes.keep(this.masked, 0, end - start, shape);
    }
    return this.answer(
      this.browsers.findIn(shape[0]!, text, lower),
      this.systems.findIn(shape[1]!, text, lower),
      this.devices.findIn(shape[2]!, text, lower),
    );
  }

  private answer(
    foundBrowser: Found | undefined,
    foundSystem: Found | undefined,
    foundDevice: Found | undefined,
  ): UserAgent {
    const browser = nameAndVersion(this.data.browsers, foundBrowser, 3);
    const system = nameAndVersion(this.data.systems, foundSystem, 4);
    return {
      name: browser.name ?? 'Other',
      ...(browser.version === undefined ? {} : { version: browser.version }),
      ...(system.name === undefined ? {} : { os: osOf(system.name, system.version) }),
      device: { name: this.deviceName(foundDevice) ?? 'Other' },
    };
  }

  private deviceName(found: Found | undefined): string | undefined {
    return found && partOf(this.data.devices[found.rule]![3], 1, found.match);
  }
}

/** What a list of rules makes of all agents that differ in digits alone. */
interface ListShape {
  /** Rules that depend on digits, before `rule`: they are tried on each agent that has one of
   *  their literals, or on all when there are none. */
  readonly tried: readonly { readonly rule: number; readonly literals: readonly string[] }[];
  /** The first rule that matches of those that do not depend on digits; -1 for none. */
  readonly rule: number;
}

const shapesMax = 4096;

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
  private readonly literals: readonly string[];
  /** Whether digits other than by their class play a part in a rule. */
  private readonly isOfDigits: readonly boolean[];

  constructor(rules: RuleList['rules'], literals: readonly string[]) {
    this.rules = rules;
    this.regexes = rules.map(() => undefined);
    this.literals = literals;
    this.isOfDigits = rules.map(([source]) => hasDigits(source));
  }

  /** `search` has begun with the text. */
  find(text: string, search: LiteralSearch): Found | undefined {
    for (let rule = 0; rule < this.rules.length; rule++) {
      const literals = this.rules[rule]![1];
      if (literals.length > 0 && !search.hasOneOf(literals)) continue;
      const match = this.exec(rule, text);
      if (match !== null) return { rule, match };
    }
    return undefined;
  }

  /** What holds for all texts that differ from this one in digits alone. */
  shapeOf(text: string, lower: string, search: LiteralSearch): ListShape {
    const masked = withoutDigits(lower);
    const tried: { rule: number; literals: string[] }[] = [];
    for (let rule = 0; rule < this.rules.length; rule++) {
      const literals = this.rules[rule]![1];
      if (this.isOfDigits[rule]!) {
        const own = literals
          .map((literal) => this.literals[literal]!)
          .filter((literal) => masked.includes(withoutDigits(literal)));
        if (literals.length > 0 && own.length === 0) continue;
        const isSure = own.some((literal) => !/[0-9]/.test(literal));
        tried.push({ rule, literals: isSure ? [] : own });
        continue;
      }
      if (literals.length > 0 && !search.hasOneOf(literals)) continue;
      if (this.exec(rule, text) !== null) return { tried, rule };
    }
    return { tried, rule: -1 };
  }

  /** As `find`, for a text of this shape. */
  findIn(shape: ListShape, text: string, lower: string): Found | undefined {
    // hot path
    for (let i = 0; i < shape.tried.length; i++) {
      const { rule, literals } = shape.tried[i]!;
      if (literals.length > 0 && !hasOneOf(lower, literals)) continue;
      const match = this.exec(rule, text);
      if (match !== null) return { rule, match };
    }
    if (shape.rule < 0) return undefined;
    const match = this.exec(shape.rule, text);
    return match === null ? undefined : { rule: shape.rule, match };
  }

  private exec(rule: number, text: string): RegExpExecArray | null {
    const [source, , flags] = this.rules[rule]!;
    this.regexes[rule] ??= new RegExp(source, typeof flags === 'string' ? flags : '');
    return this.regexes[rule]!.exec(text);
  }
}

function hasOneOf(text: string, literals: readonly string[]): boolean {
  for (let i = 0; i < literals.length; i++) if (text.includes(literals[i]!)) return true;
  return false;
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
