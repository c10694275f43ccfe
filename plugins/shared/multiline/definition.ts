import type { MultilineDefinition, Parser } from '../../../core/sdk/index.ts';
import { type LinePattern, WatchedPattern } from './watched_pattern.ts';

/** Compiles an expression in Ruby's syntax. */
export type CompilePattern = (source: string) => LinePattern;

/** How lines are read before rules look at them. */
export type LineFormat = 'text' | 'cri' | 'docker' | 'parser';

interface Transition {
  readonly pattern: WatchedPattern;
  readonly nextState: string;
}

/** A multiline parser, ready to run. */
export interface MultilineRules {
  readonly name: string;
  readonly format: LineFormat;
  readonly type: 'regex' | 'endswith' | 'equal' | 'first_line';
  readonly matchString: string;
  readonly negate: boolean;
  readonly flushTimeoutMs: number;
  readonly keyContent: string | undefined;
  readonly keyGroup: string | undefined;
  readonly keyPattern: string | undefined;
  readonly parser: Parser | undefined;
  /** By state: what may follow. `start_state` begins a record. */
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  /** All expressions of the transitions, each once. */
  readonly patterns: readonly WatchedPattern[];
}

export const startState = 'start_state';

/** Compiles a definition. A rule may stand for several states, separated by commas.
 *  Errors: those of `compile` and `findParser`. */
export function compileMultiline(
  definition: MultilineDefinition,
  compile: CompilePattern,
  findParser: (name: string) => Parser,
): MultilineRules {
  const transitions = new Map<string, Transition[]>();
  const patterns: WatchedPattern[] = [];
  for (const rule of definition.rules) {
    const pattern = new WatchedPattern(compile(withoutSlashes(rule.regex)));
    patterns.push(pattern);
    for (const state of rule.state.split(',')) {
      const name = state.trim();
      const list = transitions.get(name) ?? [];
      list.push({ pattern, nextState: rule.nextState.trim() });
      transitions.set(name, list);
    }
  }
  return {
    name: definition.name,
    format: definition.parser === undefined ? 'text' : 'parser',
    type: definition.type,
    matchString: unescaped(definition.matchString ?? ''),
    negate: definition.negate ?? false,
    flushTimeoutMs: definition.flushTimeoutMs,
    keyContent: definition.keyContent,
    keyGroup: definition.keyGroup,
    keyPattern: definition.keyPattern,
    parser: definition.parser === undefined ? undefined : findParser(definition.parser),
    transitions,
    patterns,
  };
}

/** The container formats: their lines carry the mark that says whether a part is the last. */
export function containerRules(name: 'cri' | 'docker', flushTimeoutMs: number): MultilineRules {
  return { ...plainRules, name, format: name, flushTimeoutMs };
}

/** Records that begin with a line that `parser` understands; the lines after it belong to it. */
export function firstLineRules(parser: Parser, flushTimeoutMs: number): MultilineRules {
  return { ...plainRules, name: parser.name, type: 'first_line', parser, flushTimeoutMs };
}

const plainRules: MultilineRules = {
  name: '',
  format: 'text',
  type: 'equal',
  matchString: '',
  negate: false,
  flushTimeoutMs: 4000,
  keyContent: undefined,
  keyGroup: undefined,
  keyPattern: undefined,
  parser: undefined,
  transitions: new Map(),
  patterns: [],
};

function withoutSlashes(source: string): string {
  const isWrapped = source.length >= 2 && source.startsWith('/') && source.endsWith('/');
  return isWrapped ? source.slice(1, -1) : source;
}

function unescaped(text: string): string {
  return text.replace(/\\([nrt\\])/g, (_match, letter: string) => escapes[letter] ?? letter);
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };
