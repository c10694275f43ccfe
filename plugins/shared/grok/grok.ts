import { SluiceError } from '../../../core/sdk/index.ts';
import type { RegexNode } from '../../../core/sdk/index.ts';
import { type ParsedRegex, parseRegex } from '../../../core/sdk/index.ts';
import { type CompiledRegex, compileParsed, isPlainText } from '../../../core/sdk/index.ts';
import {
  type CaptureSpec,
  captureSpecs,
  combineCapture,
  convertCapture,
  type GrokField,
  type GrokValue,
} from './captures.ts';
import { type PatternFile, parsePatternFile } from './pattern_files.ts';
import { patternLibrary } from './patterns/library.ts';
import { referenceResolver } from './references.ts';

export interface GrokOptions {
  /** Tried in order. */
  readonly patterns: readonly string[];
  /** Definitions by name; they win over files, which win over the library. */
  readonly patternDefinitions?: Readonly<Record<string, string>>;
  /** From `loadPatternFiles`; later files win. */
  readonly patternFiles?: readonly PatternFile[];
  /** Field names of the library: flat (`disabled`) or Elastic Common Schema. Default `disabled`. */
  readonly ecsCompatibility?: 'disabled' | 'v1';
  /** Captures only what has a field name. Default true; false captures `%{NAME}` as field NAME too. */
  readonly namedCapturesOnly?: boolean;
  /** Keeps empty captures (and null for groups that took no part). Default false. */
  readonly keepEmptyCaptures?: boolean;
  /** Stops at the first pattern that matches. Default true. */
  readonly breakOnMatch?: boolean;
  /** Steps for expressions that JavaScript's engine cannot run. */
  readonly stepBudget?: number;
}

/** One compiled pattern. */
export interface GrokPattern {
  readonly source: string;
  /** The expanded expression. Uses of named patterns are `reference` nodes around their expansion. */
  readonly ast: RegexNode;
  readonly parsed: ParsedRegex;
  readonly regex: CompiledRegex;
  /** The captures in the order in which they fill fields. */
  readonly captures: readonly CaptureSpec[];
}

/** A match: values are parallel to the pattern's `captures`. */
export interface GrokMatch {
  readonly pattern: number;
  readonly values: readonly (string | undefined)[];
}

export interface Grok {
  readonly patterns: readonly GrokPattern[];
  readonly breakOnMatch: boolean;
  readonly keepEmptyCaptures: boolean;
  /** True when a line of this length needs the guard: see `core/regex/guard.ts`. */
  needsGuard(length: number): boolean;
  /** The first match among the patterns from index `first` on. `plain` says that the text is ASCII
   *  without a line feed. Errors: RegexBudgetError. */
  exec(text: string, plain?: boolean, first?: number): GrokMatch | null;
  /** All captures to apply in order, or null when no pattern matches. Errors: RegexBudgetError. */
  matchToFields(text: string, plain?: boolean): GrokField[] | null;
}

/** Compiles grok patterns. Text is searched, not anchored; `.` matches line feeds, as in Logstash.
 *  Errors: SLUICE_GROK_INVALID (unknown pattern, recursion), SLUICE_REGEX_INVALID (with position). */
export function compileGrok(
  options: GrokOptions,
  /** Patterns that were compiled before with the same definitions, by source; new ones are added. */
  known: Map<string, GrokPattern> = new Map(),
): Grok {
  if (options.patterns.length === 0) {
    throw new SluiceError('SLUICE_GROK_INVALID', 'Grok needs at least one pattern.');
  }
  const definitions = collectDefinitions(options);
  const patterns = options.patterns.map((source): GrokPattern => {
    const compiled = known.get(source);
    if (compiled !== undefined) return compiled;
    const resolveReference = referenceResolver(definitions, options.namedCapturesOnly ?? true);
    const parsed = parseRegex(source, { rubyMultiline: true, resolveReference });
    const regex = compileParsed(source, parsed, { stepBudget: options.stepBudget });
    const pattern = { source, ast: parsed.root, parsed, regex, captures: captureSpecs(regex) };
    known.set(source, pattern);
    return pattern;
  });
  return new CompiledGrok(patterns, options);
}

/** All definitions that the options give, the library's included. */
export function collectDefinitions(
  options: Pick<GrokOptions, 'ecsCompatibility' | 'patternFiles' | 'patternDefinitions'>,
): ReadonlyMap<string, string> {
  const naming = options.ecsCompatibility === 'v1' ? 'ecs' : 'legacy';
  const definitions = new Map(Object.entries(patternLibrary(naming)));
  const own = [
    ...(options.patternFiles ?? []).map(parsePatternFile),
    options.patternDefinitions ?? {},
  ];
  for (const [name, text] of own.flatMap((group) => Object.entries(group))) {
    if (!/^[A-Za-z0-9_]+$/.test(name)) {
      throw new SluiceError(
        'SLUICE_GROK_INVALID',
        `Grok pattern name ${name} is invalid: use letters, digits and underscores.`,
      );
    }
    definitions.set(name, text);
  }
  return definitions;
}

class CompiledGrok implements Grok {
  readonly patterns: readonly GrokPattern[];
  readonly breakOnMatch: boolean;
  readonly keepEmptyCaptures: boolean;

  constructor(patterns: readonly GrokPattern[], options: GrokOptions) {
    this.patterns = patterns;
    this.breakOnMatch = options.breakOnMatch ?? true;
    this.keepEmptyCaptures = options.keepEmptyCaptures ?? false;
  }

  needsGuard(length: number): boolean {
    return this.patterns.some((pattern) => pattern.regex.needsGuard(length));
  }

  // hot path
  exec(text: string, plain = isPlainText(text), first = 0): GrokMatch | null {
    for (let index = first; index < this.patterns.length; index++) {
      const { regex, captures } = this.patterns[index]!;
      const raw = regex.execRaw(text, 0, plain);
      if (raw === null) continue;
      const values = new Array<string | undefined>(captures.length);
      for (let i = 0; i < captures.length; i++) values[i] = raw[captures[i]!.slot];
      return { pattern: index, values };
    }
    return null;
  }

  matchToFields(text: string, plain = isPlainText(text)): GrokField[] | null {
    let fields: GrokField[] | null = null;
    let first = 0;
    while (first < this.patterns.length) {
      const match = this.exec(text, plain, first);
      if (match === null) break;
      fields ??= [];
      this.#addFields(fields, match);
      if (this.breakOnMatch) break;
      first = match.pattern + 1;
    }
    return fields;
  }

  #addFields(fields: GrokField[], match: GrokMatch): void {
    const { captures } = this.patterns[match.pattern]!;
    for (let i = 0; i < captures.length; i++) {
      const text = match.values[i];
      const { path, type } = captures[i]!;
      if (text === undefined || text === '') {
        if (!this.keepEmptyCaptures) continue;
        fields.push({ path, value: text === undefined ? null : convertCapture(text, type) });
        continue;
      }
      fields.push({ path, value: convertCapture(text, type) });
    }
  }
}

/** The captures of a line as a plain object for JSON (`[a][b]` nests), or null without a match. */
export function grokLine(grok: Grok, line: string): Record<string, unknown> | null {
  const fields = grok.matchToFields(line);
  if (fields === null) return null;
  const out: Record<string, unknown> = {};
  for (const { path, value } of fields) setCapture(out, path, value);
  return out;
}

/** Applies one capture to an object as Logstash would. Returns false where a parent is no object. */
export function setCapture(
  target: Record<string, unknown>,
  path: readonly string[],
  value: GrokValue,
  overwrite = false,
): boolean {
  let parent = target;
  for (const name of path.slice(0, -1)) {
    const known = Object.hasOwn(parent, name) ? parent[name] : undefined;
    if (known === undefined || known === null) {
      const next: Record<string, unknown> = {};
      define(parent, name, next);
      parent = next;
    } else if (typeof known === 'object' && !Array.isArray(known)) {
      // Objects in `target` come from JSON or from this function.
      parent = known as Record<string, unknown>;
    } else {
      return false;
    }
  }
  const name = path.at(-1)!;
  const existing = Object.hasOwn(parent, name) ? parent[name] : undefined;
  const safe = typeof value === 'bigint' ? Number(value) : value;
  define(parent, name, combineCapture(existing, safe, overwrite));
  return true;
}

/** Plain assignment, except that `__proto__` becomes an own key. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') {
    target[name] = value;
    return;
  }
  Object.defineProperty(target, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
