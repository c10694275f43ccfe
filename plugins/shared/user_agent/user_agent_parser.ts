import { assert, readDataFile } from '../../../core/sdk/index.ts';
import { ByteCache } from '../lookup_table/byte_cache.ts';
import type { NameRule, UserAgentData } from './data.ts';
import { DigitTemplate } from './digit_template.ts';
import { type Found, type ListShape, LiteralSearch, RuleList } from './rule_list.ts';
import { tracedJson, tracedName, tracedPart } from './traced_answer.ts';

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
  private readonly shapes = new ByteCache<AgentShape>(shapesMax, { digitsAlike: true });

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
    const text = unquoted(agent);
    const lower = text.toLowerCase();
    const { lists } = this.shapeAt(bytes, start, end);
    return this.answer(
      this.browsers.findIn(lists[0], text, lower),
      this.systems.findIn(lists[1], text, lower),
      this.devices.findIn(lists[2], text, lower),
    );
  }

  /** The JSON of `parseAt` for this agent and all that differ from it in digits alone, with the
   *  agent's digits to be put in; undefined where it cannot be told which digits decide. */
  templateAt(bytes: Buffer, start: number, end: number): DigitTemplate | undefined {
    // hot path
    if (end - start > agentLengthMax) return undefined;
    const { deciding, variants } = this.shapeAt(bytes, start, end);
    if (deciding === undefined) return undefined;
    for (let i = 0; i < variants.length; i++) {
      if (hasDigitsOf(variants[i]!, deciding, bytes, start)) return variants[i]!.template;
    }
    return this.newVariant(bytes, start, end);
  }

  private newVariant(bytes: Buffer, start: number, end: number): DigitTemplate | undefined {
    const { lists, deciding, variants } = this.shapeAt(bytes, start, end);
    if (variants.length === variantsMax) return undefined;
    const template = this.templateOf(lists, bytes.latin1Slice(start, end));
    variants.push({ digits: Uint8Array.from(deciding!, (at) => bytes[start + at]!), template });
    return template;
  }

  private shapeAt(bytes: Buffer, start: number, end: number): AgentShape {
    // hot path
    const known = this.shapes.find(bytes, start, end);
    if (known !== undefined) return known;
    const agent = bytes.utf8Slice(start, end);
    const text = unquoted(agent);
    const lower = text.toLowerCase();
    const { literals } = this;
    literals.begin(lower);
    const lists = [
      this.browsers.shapeOf(text, lower, literals),
      this.systems.shapeOf(text, lower, literals),
      this.devices.shapeOf(text, lower, literals),
    ] as const;
    // The positions are those of bytes when all of it is ASCII.
    const isAscii = agent.length === end - start;
    const deciding = isAscii ? this.decidingDigits(lists, text) : undefined;
    const shift = text === agent ? 0 : 1;
    const shape = { lists, deciding: deciding?.map((at) => at + shift), variants: [] };
    this.shapes.keep(shape);
    return shape;
  }

  private decidingDigits(lists: AgentShape['lists'], text: string): number[] | undefined {
    const positions = new Set<number>();
    const areKnown = [this.browsers, this.systems, this.devices].every((list, i) =>
      list.addDecidingDigits(lists[i]!, text, positions),
    );
    if (!areKnown) return undefined;
    const digits = [...positions].filter((at) => text[at]! >= '0' && text[at]! <= '9');
    return digits.length > decidingMax ? undefined : digits;
  }

  private templateOf(lists: AgentShape['lists'], agent: string): DigitTemplate | undefined {
    const text = unquoted(agent);
    const shift = text === agent ? 0 : 1;
    const lower = text.toLowerCase();
    const found = [this.browsers, this.systems, this.devices].map((list, i) => {
      const rule = list.findIn(lists[i]!, text, lower)?.rule;
      const match = rule === undefined ? null : list.placesOf(rule, text);
      return match === null ? undefined : { rule: rule!, match };
    });
    const { browsers, systems, devices } = this.data;
    const [browser, system, device] = found;
    const json = tracedJson(
      tracedName(browsers, browser, 3, shift),
      tracedName(systems, system, 4, shift),
      device && tracedPart(devices[device.rule]![3], 1, device.match, shift),
    );
    // Written twice, once for speed: where they differ it is a mistake, and the slow one is right.
    const isSame = json.text === JSON.stringify(this.answer(browser, system, device));
    return isSame ? DigitTemplate.of(json) : undefined;
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

/** What all agents have in common that differ in digits alone. */
interface AgentShape {
  /** Of browsers, systems and devices. */
  readonly lists: readonly [ListShape, ListShape, ListShape];
  /** Positions of the digits that decide, in the agent's bytes; undefined when they are unknown. */
  readonly deciding: readonly number[] | undefined;
  /** What is known of agents of this shape, by those digits. */
  readonly variants: AgentVariant[];
}

interface AgentVariant {
  readonly digits: Uint8Array;
  readonly template: DigitTemplate | undefined;
}

const shapesMax = 4096;
const decidingMax = 16;
const variantsMax = 32;

function hasDigitsOf(
  { digits }: AgentVariant,
  deciding: readonly number[],
  bytes: Uint8Array,
  start: number,
): boolean {
  // hot path
  for (let i = 0; i < deciding.length; i++) {
    if (bytes[start + deciding[i]!] !== digits[i]) return false;
  }
  return true;
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
