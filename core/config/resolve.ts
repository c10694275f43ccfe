import { type Diagnostic, diagnosticAt } from './diagnostic.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Infer } from './infer.ts';
import { nearest } from './nearest.ts';
import { type ConfigNode, entryOf, formatPath, type MapNode, type SourcePosition } from './node.ts';
import type { Reference } from './normalize.ts';
import type {
  ComponentConfig,
  FilterConfig,
  InputConfig,
  MultilineParserConfig,
  OutputConfig,
  ParserConfig,
  ServiceConfig,
} from './resolved.ts';
import {
  type FilterOptions,
  type InputOptions,
  type OutputOptions,
  resolveInputBase,
  resolveOutputBase,
  resolveRouting,
} from './resolve_base.ts';
import type { PlainComponent } from './resolve_component.ts';
import type { multilineParserSchema } from './schema.ts';

type Report = (diagnostic: Diagnostic) => void;

/** Names of definitions: what components may refer to, and the fingerprint of each. */
export interface Definitions {
  readonly parsers: ReadonlyMap<string, string>;
  readonly multilineParsers: ReadonlyMap<string, string>;
}

/** Turns the entries of `parsers` into definitions; of two with one name, the second is an error. */
export function resolveParsers(plain: readonly PlainComponent[], report: Report): ParserConfig[] {
  const places = new Map<string, SourcePosition>();
  return plain.map(({ plugin, node, base, options, path }) => {
    const entry = entryOf(node, 'name')?.value;
    const name = entry?.kind === 'scalar' ? entry.text : '';
    reportTwice(places, name, entry ?? node, 'parser', path, report);
    const all = { ...base, ...options };
    const fingerprint = fingerprintOf([plugin.name, all]);
    return { name, format: plugin.name, options: all, position: node.position, fingerprint };
  });
}

type MultilineOptions = Infer<typeof multilineParserSchema>;

/** Turns the normalised entries of `multiline_parsers` into definitions. */
export function resolveMultilineParsers(
  list: readonly unknown[],
  nodes: readonly ConfigNode[],
  report: Report,
): MultilineParserConfig[] {
  const places = new Map<string, SourcePosition>();
  return list.map((item, index) => {
    const options = item as MultilineOptions; // Normalised by this schema.
    const node = nodes[index]!;
    const place = entryOf(node, 'name')?.value ?? node;
    reportTwice(
      places,
      options.name,
      place,
      'multiline parser',
      ['multiline_parsers', index],
      report,
    );
    return {
      name: options.name,
      type: options.type === 'eq' ? 'equal' : options.type,
      matchString: options.match_string,
      negate: options.negate,
      flushTimeoutMs: options.flush_timeout,
      keyContent: options.key_content,
      keyGroup: options.key_group,
      keyPattern: options.key_pattern,
      parser: options.parser,
      rules: (options.rules ?? []).map((rule) => ({
        state: rule.state,
        regex: rule.regex,
        nextState: rule.next_state,
      })),
      position: node.position,
      fingerprint: fingerprintOf(options),
    };
  });
}

/** Gives the components of one kind their ids, inherited settings and fingerprints. */
export function resolveComponents(
  plain: readonly PlainComponent[],
  service: ServiceConfig,
  definitions: Definitions,
  report: Report,
): ComponentConfig[] {
  const counts = new Map<string, number>();
  const places = new Map<string, SourcePosition>();
  return plain.map((component) => {
    const { plugin, node, base, options, path, processorOf } = component;
    // Processors are counted for themselves: they change no id of another filter.
    const prefix = processorOf === undefined ? '' : `${processorOf.id}.`;
    const counted = prefix + plugin.name;
    const index = counts.get(counted) ?? 0;
    counts.set(counted, index + 1);
    const ordinal = `${counted}.${index}`;
    const alias = typeof base['alias'] === 'string' ? base['alias'] : undefined;
    const id = alias ?? ordinal;
    const place = entryOf(node, 'alias')?.value ?? node;
    reportTwice(places, id, place, plugin.kind, path, report);
    const named = { plugin: plugin.name, id, alias, options, position: node.position };
    const resolved = resolveKind(component, named, ordinal, service);
    checkRouting(component, report);
    if (resolved.kind === 'output') checkStorage(resolved, node, path, report);
    const used = component.references.map(({ to, name }) => definitionOf(definitions, to, name));
    const content = [resolved.plugin, resolved.base, resolved.options, used];
    return { ...resolved, fingerprint: fingerprintOf(content) };
  });
}

interface NamedComponent {
  readonly plugin: string;
  readonly id: string;
  readonly alias: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly position: SourcePosition;
}

function resolveKind(
  { plugin, base, processorOf }: PlainComponent,
  named: NamedComponent,
  ordinal: string,
  service: ServiceConfig,
): ComponentConfig {
  const fingerprint = '';
  // The base options have passed the schema of their kind.
  switch (plugin.kind) {
    case 'input': {
      const input: InputConfig['base'] = resolveInputBase(base as InputOptions, ordinal);
      return { kind: 'input', ...named, base: input, fingerprint };
    }
    case 'output': {
      const output: OutputConfig['base'] = resolveOutputBase(base as OutputOptions, service);
      return { kind: 'output', ...named, base: output, fingerprint };
    }
    default: {
      const routing = resolveRouting(base as FilterOptions);
      const filter: FilterConfig['base'] = { ...routing, processorOf };
      return { kind: 'filter', ...named, base: filter, fingerprint };
    }
  }
}

function definitionOf(definitions: Definitions, to: Reference['to'], name: string): string {
  const known = to === 'parser' ? definitions.parsers : definitions.multilineParsers;
  return known.get(name) ?? name;
}

function checkRouting({ node, path }: PlainComponent, report: Report): void {
  const entry = entryOf(node, 'match');
  if (entry === undefined || entryOf(node, 'match_regex') === undefined) return;
  const message = 'The option "match" has no effect, since "match_regex" is there too.';
  const place = { severity: 'warning', path: `${formatPath(path)}.match` } as const;
  report(diagnosticAt(entry.keyPosition, message, place));
}

function checkStorage(
  output: OutputConfig,
  node: MapNode,
  path: readonly (string | number)[],
  report: Report,
): void {
  if (output.base.storage.type !== 'filesystem' || output.alias !== undefined) return;
  const place = entryOf(node, 'storage.type')?.keyPosition ?? entryOf(node, 'name')?.value.position;
  report(
    diagnosticAt(
      place ?? node.position,
      `The output "${output.plugin}" has filesystem storage and no "alias".`,
      {
        path: formatPath(path),
        expected: 'an alias, which names the buffer on disk and finds it again after a restart',
      },
    ),
  );
}

/** Reports references to definitions that are not there. */
export function checkReferences(
  references: readonly Reference[],
  definitions: Definitions,
  report: Report,
): void {
  for (const { to, name, position, path } of references) {
    const known = to === 'parser' ? definitions.parsers : definitions.multilineParsers;
    if (known.has(name)) continue;
    const kind = to === 'parser' ? 'parser' : 'multiline parser';
    const section = to === 'parser' ? 'parsers' : 'multiline_parsers';
    const near = nearest(name, known.keys());
    report(
      diagnosticAt(position, `The ${kind} "${name}" is not defined.`, {
        path,
        nearest: near,
        expected: `a name under ${section}:, or one of ${[...known.keys()].slice(0, 20).join(', ')}`,
      }),
    );
  }
}

function reportTwice(
  places: Map<string, SourcePosition>,
  name: string,
  node: ConfigNode,
  kind: string,
  path: readonly (string | number)[],
  report: Report,
): void {
  const first = places.get(name);
  if (first === undefined) {
    places.set(name, node.position);
    return;
  }
  const at = `${first.file}:${first.line}:${first.column}`;
  const message = `The name "${name}" is that of another ${kind}, at ${at}.`;
  const detail = { path: formatPath(path), expected: `another name for this ${kind}` };
  report(diagnosticAt(node.position, message, detail));
}
