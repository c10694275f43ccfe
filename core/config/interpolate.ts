import { type Diagnostic, diagnosticAt } from './diagnostic.ts';
import {
  type ConfigNode,
  formatPath,
  positionInText,
  type ScalarNode,
  type SourcePosition,
} from './node.ts';

/** Finds the value of a variable; undefined when there is none. */
export type VariableLookup = (name: string) => string | undefined;

export interface InterpolationProblem {
  /** Offset of the `${` in the text given. */
  readonly offset: number;
  readonly message: string;
  readonly expected?: string;
}

export interface Interpolation {
  readonly value: string;
  /** True when a variable was replaced. */
  readonly replaced: boolean;
  readonly problems: readonly InterpolationProblem[];
}

const depthMax = 8;
const lengthMax = 1 << 20;

/** Replaces `${NAME}`, `${NAME:default}` (when not set) and `${NAME:-default}` (when not set or empty); a
 *  default may hold variables itself. `$${` writes `${`. Values put in are not searched again.
 *  Limits: defaults 8 deep, a result of 1 MiB. */
export function interpolateText(text: string, lookup: VariableLookup): Interpolation {
  if (!text.includes('${')) return { value: text, replaced: false, problems: [] };
  const expander = new Expander(text, lookup);
  const value = expander.expand(0, false, 0);
  return { value, replaced: expander.replaced, problems: expander.problems };
}

class Expander {
  replaced = false;
  readonly problems: InterpolationProblem[] = [];
  readonly #text: string;
  readonly #lookup: VariableLookup;
  #at = 0;
  #length = 0;

  constructor(text: string, lookup: VariableLookup) {
    this.#text = text;
    this.#lookup = lookup;
  }

  /** Expands to the end of the text, or to the `}` that ends a default. */
  expand(start: number, inDefault: boolean, depth: number): string {
    let value = '';
    this.#at = start;
    while (this.#at < this.#text.length) {
      const at = this.#at;
      if (this.#text.startsWith('$${', at)) {
        value += '${';
        this.#at += 3;
      } else if (this.#text.startsWith('${', at)) {
        value += this.#variable(at, depth);
      } else if (inDefault && this.#text[at] === '}') {
        return value;
      } else {
        value += this.#text[at];
        this.#at += 1;
      }
    }
    return value;
  }

  #variable(start: number, depth: number): string {
    const close = this.#text.indexOf('}', start);
    if (close < 0) return this.#fail(start, 'A ${ has no }', '}', this.#text.length);
    const head = /\$\{([A-Za-z_][A-Za-z0-9_]*)(:-|:|\})/y;
    head.lastIndex = start;
    const match = head.exec(this.#text);
    if (match === null || depth >= depthMax) {
      const inner = JSON.stringify(this.#text.slice(start + 2, Math.min(close, start + 42)));
      const message =
        match === null ? `${inner} is no name of a variable` : 'Defaults nest too deep';
      return this.#fail(
        start,
        message,
        'a name of letters, digits and _, or $${ for ${ itself',
        close + 1,
      );
    }
    const [whole, name, sign] = match;
    const set = this.#lookup(name!);
    if (sign === '}') {
      this.#at = start + whole.length;
      if (set !== undefined) return this.#put(start, set);
      const message = `The variable "${name}" is not set and has no default`;
      return this.#fail(start, message, `\${${name}:default}, or the variable in env:`, this.#at);
    }
    const used = set === undefined || (sign === ':-' && set === '');
    const known = this.problems.length;
    const fallback = this.expand(start + whole.length, true, depth + 1);
    // A default that is not used may name variables that are not set.
    if (!used) this.problems.length = known;
    if (this.#text[this.#at] !== '}')
      return this.#fail(start, 'A ${ has no }', '}', this.#text.length);
    this.#at += 1;
    return this.#put(start, used ? fallback : set);
  }

  #put(start: number, value: string): string {
    this.replaced = true;
    this.#length += value.length;
    if (this.#length <= lengthMax) return value;
    return this.#fail(
      start,
      `The values put in are longer than ${lengthMax} characters`,
      '',
      this.#at,
    );
  }

  #fail(offset: number, message: string, expected: string, next: number): string {
    this.problems.push({
      offset,
      message: `${message}.`,
      ...(expected === '' ? {} : { expected }),
    });
    this.#at = next;
    return '';
  }
}

/** Replaces the variables in every string leaf of a tree; keys stay. A problem is reported with where
 *  the leaf begins: what is wrong with the leaf then follows from it. */
export function interpolateTree(
  node: ConfigNode,
  lookup: VariableLookup,
  report: (diagnostic: Diagnostic, of: SourcePosition) => void,
  path: readonly (string | number)[] = [],
): ConfigNode {
  if (node.kind === 'scalar') return interpolateScalar(node, lookup, report, path);
  if (node.kind === 'list') {
    const items = node.items.map((item, index) =>
      interpolateTree(item, lookup, report, [...path, index]),
    );
    return { ...node, items };
  }
  const entries = node.entries.map((entry) => ({
    ...entry,
    value: interpolateTree(entry.value, lookup, report, [...path, entry.key]),
  }));
  return { ...node, entries };
}

function interpolateScalar(
  node: ScalarNode,
  lookup: VariableLookup,
  report: (diagnostic: Diagnostic, of: SourcePosition) => void,
  path: readonly (string | number)[],
): ConfigNode {
  if (typeof node.value !== 'string') return node;
  const { value, replaced, problems } = interpolateText(node.value, lookup);
  for (const problem of problems) {
    const position = positionInText(node, problem.offset);
    report(
      diagnosticAt(position, problem.message, {
        path: formatPath(path),
        expected: problem.expected,
      }),
      node.position,
    );
  }
  if (value === node.value) return node;
  // Offsets in the new text are no longer those of the file.
  const { textStart: _textStart, ...rest } = node;
  return { ...rest, value, text: value, ...(replaced ? { interpolated: true } : {}) };
}

/** Where the values of variables come from. */
export interface Environment {
  readonly lookup: VariableLookup;
  /** The `env:` section, after its own variables are replaced. */
  readonly values: Readonly<Record<string, string>>;
}

export interface EnvironmentSources {
  /** Environment of the process. */
  readonly process: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  /** Reads the file of `{name, uri: file:///…}`; throws when it cannot. */
  readonly readFile: (path: string) => string;
}

/** Builds the variables from the `env:` sections of all files, in map form, or in list form with
 *  `{name, value}` or `{name, uri}`. A value there wins over the environment of the process, and may use it
 *  and the values before it. `HOSTNAME` is there always. */
export function buildEnvironment(
  sections: readonly ConfigNode[],
  sources: EnvironmentSources,
  report: (diagnostic: Diagnostic) => void,
): Environment {
  const values = new Map<string, string>();
  const lookup: VariableLookup = (name) =>
    values.get(name) ??
    (Object.hasOwn(sources.process, name) ? sources.process[name] : undefined) ??
    (name === 'HOSTNAME' ? sources.hostname : undefined);
  const places = new Map<string, SourcePosition>();
  for (const section of sections) {
    for (const item of environmentItems(section, sources, report)) {
      const first = places.get(item.name);
      if (first !== undefined) {
        const at = `${first.file}:${first.line}:${first.column}`;
        const message = `The variable "${item.name}" is set twice; the first is at ${at}.`;
        report(diagnosticAt(item.position, message, { path: `env.${item.name}` }));
        continue;
      }
      places.set(item.name, item.position);
      const node = interpolateTree(item.value, lookup, report, ['env', item.name]);
      if (node.kind === 'scalar' && node.value !== null) values.set(item.name, node.text);
    }
  }
  return { lookup, values: Object.fromEntries(values) };
}

interface EnvironmentItem {
  readonly name: string;
  readonly value: ConfigNode;
  readonly position: SourcePosition;
}

/** The items of one section; what has another shape is left to the schema to report. */
function environmentItems(
  section: ConfigNode,
  sources: EnvironmentSources,
  report: (diagnostic: Diagnostic) => void,
): EnvironmentItem[] {
  if (section.kind === 'map') {
    return section.entries.map(({ key, keyPosition, value }) => ({
      name: key,
      value,
      position: keyPosition,
    }));
  }
  if (section.kind !== 'list') return [];
  return section.items.flatMap((item): EnvironmentItem[] => {
    if (item.kind !== 'map') return [];
    const member = (key: string) => item.entries.find((entry) => entry.key.toLowerCase() === key);
    const name = member('name')?.value;
    if (name?.kind !== 'scalar') return [];
    const value = member('value')?.value ?? readUri(member('uri')?.value, sources, report);
    return value === undefined ? [] : [{ name: name.text, value, position: item.position }];
  });
}

function readUri(
  uri: ConfigNode | undefined,
  sources: EnvironmentSources,
  report: (diagnostic: Diagnostic) => void,
): ConfigNode | undefined {
  if (uri?.kind !== 'scalar' || typeof uri.value !== 'string') return undefined;
  try {
    if (!uri.value.startsWith('file://')) throw new Error('only file:// is supported');
    const text = sources.readFile(decodeURIComponent(new URL(uri.value).pathname));
    const value = text.replace(/\r?\n$/, '').replaceAll('${', () => '$${');
    return { ...uri, value, text: value };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report(diagnosticAt(uri.position, `The variable cannot be read from its uri: ${reason}.`));
    return undefined;
  }
}
