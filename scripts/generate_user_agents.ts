import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { childrenOf, type RegexNode } from '../core/regex/ast.ts';
import { parseRegex } from '../core/regex/parser.ts';
import type { DeviceRule, NameRule, UserAgentData } from '../plugins/shared/user_agent/data.ts';

const literalsMax = 256;
const literalLengthMin = 3;
/** Pieces that so many agents have that looking for them excludes little. */
const commonPieces = [
  'mozilla/',
  'android',
  ' build',
  'linux',
  'applewebkit',
  'safari/',
  'mobile',
  'version/',
  'windows nt',
  'chrome/',
  'like gecko',
  'mac os x',
];

/** The text of `plugins/shared/user_agent/regexes.json`, made of uap-core's regexes.yaml. */
export function userAgentsFile(root: string): { path: string; content: string } {
  const folder = join(root, 'node_modules', 'uap-core');
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const data = userAgentData(readFileSync(join(folder, 'regexes.yaml'), 'utf8'), version);
  const rules = (list: readonly unknown[]) => list.map((rule) => JSON.stringify(rule)).join(',\n');
  const content = [
    `{"source":${JSON.stringify(data.source)},`,
    `"licence":${JSON.stringify(data.licence)},`,
    `"literals":${JSON.stringify(data.literals)},`,
    `"browsers":[\n${rules(data.browsers)}\n],`,
    `"systems":[\n${rules(data.systems)}\n],`,
    `"devices":[\n${rules(data.devices)}\n]}\n`,
  ].join('\n');
  return { path: 'plugins/shared/user_agent/regexes.json', content };
}

/** Rules of regexes.yaml; the names of replacements differ from list to list. */
type YamlRule = Readonly<Record<string, string | undefined>> & { readonly regex: string };

interface YamlFile {
  readonly user_agent_parsers: readonly YamlRule[];
  readonly os_parsers: readonly YamlRule[];
  readonly device_parsers: readonly YamlRule[];
}

/** Compiles the rules. Throws for an expression that JavaScript does not take. */
export function userAgentData(yaml: string, version: string): UserAgentData {
  const file = parse(yaml) as YamlFile;
  const literals = new Map<string, number>();
  const numbersOf = (regex: string): readonly number[] => {
    new RegExp(regex);
    return requiredPieces(regex).map((piece) => {
      const number = literals.get(piece) ?? literals.size;
      literals.set(piece, number);
      return number;
    });
  };
  const browsers = file.user_agent_parsers.map((rule) =>
    nameRule(rule, numbersOf(rule.regex), [
      'family_replacement',
      'v1_replacement',
      'v2_replacement',
      'v3_replacement',
    ]),
  );
  const systems = file.os_parsers.map((rule) =>
    nameRule(rule, numbersOf(rule.regex), [
      'os_replacement',
      'os_v1_replacement',
      'os_v2_replacement',
      'os_v3_replacement',
      'os_v4_replacement',
    ]),
  );
  const devices = file.device_parsers.map((rule): DeviceRule => {
    const flags = rule['regex_flag'] ?? '';
    return [rule.regex, numbersOf(rule.regex), flags, rule['device_replacement'] ?? null];
  });
  return {
    source: `uap-core ${version}, https://github.com/ua-parser/uap-core`,
    licence: 'Apache-2.0, Copyright 2009 Google Inc.',
    literals: [...literals.keys()],
    browsers,
    systems,
    devices,
  };
}

function nameRule(rule: YamlRule, literals: readonly number[], names: readonly string[]): NameRule {
  const replacements = names.map((name) => (rule[name] === undefined ? null : String(rule[name])));
  while (replacements.length > 0 && replacements.at(-1) === null) replacements.pop();
  return [rule.regex, literals, replacements];
}

/** Lower-case texts of which any match has at least one; none when nothing is sure. */
export function requiredPieces(regex: string): readonly string[] {
  return [...(required(parseRegex(regex).root) ?? [])];
}

type Pieces = ReadonlySet<string>;

function required(node: RegexNode): Pieces | undefined {
  switch (node.kind) {
    case 'sequence':
      return requiredOfSequence(node.items);
    case 'alternation': {
      const union = new Set<string>();
      for (const item of node.items) {
        const pieces = required(item);
        if (pieces === undefined) return undefined;
        for (const piece of pieces) union.add(piece);
      }
      return union.size > literalsMax ? undefined : union;
    }
    case 'repeat':
      return node.min > 0 ? required(node.body) : undefined;
    case 'capture':
    case 'atomic':
      return required(childrenOf(node)[0]!);
    default:
      return undefined;
  }
}

/** The best of the literal runs of a sequence and of what its items require. */
function requiredOfSequence(items: readonly RegexNode[]): Pieces | undefined {
  let best: Pieces | undefined;
  const offer = (pieces: Pieces | undefined) => {
    if (pieces !== undefined && (best === undefined || worth(pieces) > worth(best))) best = pieces;
  };
  let run = '';
  for (const item of [...items, { kind: 'empty' } as const]) {
    const character = literalCharacter(item);
    if (character !== undefined) {
      run += character;
      continue;
    }
    if (run.length >= literalLengthMin) offer(new Set([run]));
    run = '';
    offer(required(item));
  }
  return best;
}

/** The lower-case character that a set stands for, in either case. */
function literalCharacter(node: RegexNode): string | undefined {
  if (node.kind !== 'set') return undefined;
  const characters = new Set<string>();
  for (let i = 0; i < node.set.length; i += 2) {
    if (node.set[i + 1]! - node.set[i]! > 1) return undefined;
    for (let code = node.set[i]!; code <= node.set[i + 1]!; code++) {
      characters.add(String.fromCodePoint(code).toLowerCase());
    }
  }
  return characters.size === 1 ? [...characters][0] : undefined;
}

/** How much looking for the pieces excludes: rare ones, few of them. */
function worth(pieces: Pieces): number {
  let least = Number.POSITIVE_INFINITY;
  for (const piece of pieces) {
    const isCommon = commonPieces.some((common) => common.includes(piece));
    least = Math.min(least, isCommon ? 1 : Math.min(piece.length, 8));
  }
  return least - pieces.size / (literalsMax + 1);
}
