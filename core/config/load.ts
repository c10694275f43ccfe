import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { PluginKind } from './base_options.ts';
import { coerceTree } from './coerce.ts';
import { SecretPlaces } from './conceal.ts';
import { type Diagnostic, diagnosticAt, sortDiagnostics, withFrames } from './diagnostic.ts';
import { buildEnvironment, type Environment, interpolateTree } from './interpolate.ts';
import { normalizeKeys } from './keys.ts';
import { listMentions, type PluginMention } from './mentions.ts';
import { mergeTrees } from './merge.ts';
import {
  type ConfigNode,
  entryIgnoringCase,
  entryOf,
  fromValue,
  type MapNode,
  nodeAt,
  scalarNode,
  type SourcePosition,
} from './node.ts';
import { normalizeTree, type Reference } from './normalize.ts';
import { type ConfigFiles, isModulePath, readConfigFiles, realFiles } from './read_files.ts';
import {
  checkReferences,
  type Definitions,
  resolveComponents,
  resolveMultilineParsers,
  resolveParsers,
} from './resolve.ts';
import { type PlainComponent, type ResolveContext, resolveComponent } from './resolve_component.ts';
import { resolveProcessors } from './resolve_processors.ts';
import { type ResolvedPair, resolveRoutes } from './resolve_routes.ts';
import type { ComponentConfig, PluginPath, ResolvedConfig, ServiceOptions } from './resolved.ts';
import { resolveService } from './resolve_base.ts';
import { buildCoreSchema, type PluginName, type PluginSchema } from './schema.ts';
import { secretReader } from './secret_source.ts';
import type { SyntaxChecks } from './spelling_check.ts';
import { SchemaValidator } from './validate.ts';

export interface LoadOptions extends SyntaxChecks {
  /** Pipeline files, relative to `cwd`; several are merged. */
  readonly files: readonly string[];
  /** Schemas of the plugins that are there, or at least of those that the files name. */
  readonly plugins: readonly PluginSchema[];
  /** All that can be named, when `plugins` holds only some: for hints. */
  readonly pluginNames?: readonly PluginName[];
  /** Environment of the process when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly hostname?: string;
  readonly access?: Partial<ConfigFiles>;
  /** Parsers that need no definition. */
  readonly builtinParsers?: readonly string[];
  readonly builtinMultilineParsers?: readonly string[];
  /** Whether there must be an input and an output; true when absent. */
  readonly requirePipeline?: boolean;
}

export interface LoadResult {
  /** There only when no diagnostic is an error. */
  readonly config?: ResolvedConfig;
  /** In the order of the files, each with its code frame, secrets masked. */
  readonly diagnostics: readonly Diagnostic[];
  /** Parsers that components refer to, whether a file defines them or they are built in. */
  readonly parserNames: readonly string[];
}

/** Problems that are shown; a file with more has one cause, or several to be mended in turn. */
const diagnosticsMax = 50;

/** Loads pipeline files: reads, interpolates, merges, validates and resolves them. Reports every error at once;
 *  throws only SLUICE_BUG, for a plugin whose schema is broken. */
export function loadConfig(options: LoadOptions): LoadResult {
  return readPipelineFiles(options).load(options.plugins, options.pluginNames);
}

/** Pipeline files that were read, before the plugins that they name are there. */
export interface PipelineFiles {
  /** Third-party plugins, to be imported. */
  readonly pluginPaths: readonly PluginPath[];
  /** Plugins that components name, as they are written. */
  readonly mentions: readonly PluginMention[];
  /** Goes on with `loadConfig`; to be called once. */
  load(plugins: readonly PluginSchema[], pluginNames?: readonly PluginName[]): LoadResult;
}

/** Begins `loadConfig`, so that only the plugins that the files name need be imported. */
export function readPipelineFiles(options: Omit<LoadOptions, 'plugins'>): PipelineFiles {
  const loader = new Loader(options);
  const root = loader.readTree();
  return {
    pluginPaths: loader.pluginPaths(root),
    mentions: listMentions(root),
    load(plugins, pluginNames = plugins) {
      const config = loader.load(root, plugins, pluginNames);
      return resultOf(loader, config);
    },
  };
}

function resultOf(loader: Loader, config: ResolvedConfig | undefined): LoadResult {
  const { parserNames } = loader;
  const errors = loader.diagnostics.some(({ severity }) => severity === 'error');
  const sorted = sortDiagnostics(loader.diagnostics.filter((one) => loader.isCause(one)));
  const diagnostics = withFrames(
    sorted.slice(0, diagnosticsMax),
    loader.sources,
    loader.secretPlaces.lines,
  );
  const more = sorted.length - diagnostics.length;
  const [first] = diagnostics;
  if (more > 0 && first !== undefined) {
    const place = { file: first.file, line: 0, column: 0 };
    const rest = diagnosticAt(place, `There are ${more} more problems.`);
    return { diagnostics: [...diagnostics, rest], parserNames };
  }
  if (errors || config === undefined) return { diagnostics, parserNames };
  return { config, diagnostics, parserNames };
}

const kinds = ['input', 'filter', 'output'] as const;

class Loader {
  readonly diagnostics: Diagnostic[] = [];
  readonly secretPlaces = new SecretPlaces();
  sources: ReadonlyMap<string, string> = new Map();
  readonly #options: Omit<LoadOptions, 'plugins'>;
  readonly #cwd: string;
  readonly #access: ConfigFiles;
  readonly #coreSchema = buildCoreSchema();
  readonly #references: Reference[] = [];
  readonly #causes = new Set<Diagnostic>();
  /** Where values begin whose variables could not be replaced. */
  readonly #unresolved = new Set<string>();
  #environment: Environment = { lookup: () => undefined, values: {} };
  #files: readonly string[] = [];
  /** A file could not be read, so that what seems to be missing may stand in it. */
  #isIncomplete = false;

  constructor(options: Omit<LoadOptions, 'plugins'>) {
    this.#options = options;
    this.#cwd = options.cwd ?? process.cwd();
    this.#access = { ...realFiles(), ...options.access };
  }

  /** Reads all files into one tree with canonical keys; absent when there is nothing to go on with. */
  readTree(): MapNode | undefined {
    const environment = this.#options.env ?? process.env;
    const host = this.#options.hostname ?? hostname();
    const { files, sources, diagnostics, isBroken } = readConfigFiles({
      files: this.#options.files,
      cwd: this.#cwd,
      access: this.#access,
      environment,
      hostname: host,
    });
    this.sources = sources;
    this.#files = files.map(({ absolute }) => absolute);
    this.diagnostics.push(...diagnostics);
    if (isBroken) return undefined;
    this.#isIncomplete = diagnostics.length > 0;
    const roots = files.flatMap(({ root }) => (root === undefined ? [] : [root]));
    const sections = roots.flatMap((root) => entryIgnoringCase(root, 'env')?.value ?? []);
    const { readFile } = this.#access;
    this.#environment = buildEnvironment(
      sections,
      { process: environment, hostname: host, readFile },
      this.#report,
    );
    const keyed = roots.flatMap((root) => this.#prepareFile(root) ?? []);
    const merged = mergeTrees(keyed, this.#report);
    return merged?.kind === 'map' ? merged : undefined;
  }

  /** Parsers that were referred to. */
  get parserNames(): readonly string[] {
    const parsers = this.#references.filter(({ to }) => to === 'parser');
    return [...new Set(parsers.map(({ name }) => name))];
  }

  /** Goes on with what `readTree` returned. */
  load(
    merged: MapNode | undefined,
    plugins: readonly PluginSchema[],
    pluginNames: readonly PluginName[],
  ): ResolvedConfig | undefined {
    if (merged === undefined) {
      if (this.diagnostics.length === 0) this.#reportEmpty('The pipeline file is empty.');
      return undefined;
    }
    const root = coerceTree(merged, this.#coreSchema);
    this.secretPlaces.collect(root, this.#coreSchema);
    const validator = new SchemaValidator(this.#options);
    const problems = validator.validate(root, this.#coreSchema);
    this.diagnostics.push(...problems);
    const context = this.#context(validator, plugins, pluginNames);
    const parsers = this.#plainComponents(root, ['parsers'], 'parser', context);
    const plain = kinds.map((kind) =>
      this.#plainComponents(root, ['pipeline', `${kind}s`], kind, context),
    );
    if (this.#options.requirePipeline !== false && !this.#isIncomplete) this.#checkPipeline(root);
    if (root.kind !== 'map') return undefined;
    return this.#resolve(withoutWrongSections(root, problems), parsers, plain, context);
  }

  /** The entries of `plugins`, from a merged tree or a coerced one. */
  pluginPaths(root: MapNode | undefined): readonly PluginPath[] {
    const section = entryOf(root, 'plugins')?.value;
    const items = section?.kind === 'list' ? section.items : section === undefined ? [] : [section];
    return items.flatMap((item) => {
      if (item.kind !== 'scalar' || item.value === null) return [];
      const directory = dirname(item.position.file);
      const modulePath = isModulePath(item.text)
        ? resolve(this.#cwd, directory, item.text)
        : undefined;
      return [{ text: item.text, modulePath, position: item.position }];
    });
  }

  readonly #reportVariable = (diagnostic: Diagnostic, leaf: SourcePosition): void => {
    this.diagnostics.push(diagnostic);
    this.#causes.add(diagnostic);
    this.#unresolved.add(placeOf(leaf));
  };

  /** False for what is only wrong with a value because its variables could not be replaced. */
  isCause(diagnostic: Diagnostic): boolean {
    return this.#causes.has(diagnostic) || !this.#unresolved.has(placeOf(diagnostic));
  }

  readonly #report = (diagnostic: Diagnostic): void => {
    this.diagnostics.push(diagnostic);
  };

  #prepareFile(root: ConfigNode): MapNode | undefined {
    if (root.kind !== 'map') {
      const message = 'The file is no map of sections.';
      const expected = 'sections such as service: and pipeline:';
      this.#report(diagnosticAt(root.position, message, { expected }));
      return undefined;
    }
    const entries = root.entries.map((entry) => {
      // The variables of this section were replaced when it was read.
      if (entry.key.toLowerCase() === 'env')
        return { ...entry, value: toEnvironmentList(entry.value) };
      const path = [entry.key];
      const { lookup } = this.#environment;
      return { ...entry, value: interpolateTree(entry.value, lookup, this.#reportVariable, path) };
    });
    const keyed = normalizeKeys({ ...root, entries }, this.#coreSchema, this.#report);
    return keyed.kind === 'map' ? keyed : undefined;
  }

  #context(
    validator: SchemaValidator,
    plugins: readonly PluginSchema[],
    pluginNames: readonly PluginName[],
  ): ResolveContext {
    const secrets = secretReader({
      readFile: this.#access.readFile,
      fileMode: this.#access.fileMode,
      lookup: this.#environment.lookup,
      cwd: this.#cwd,
    });
    const { secretPlaces } = this;
    return { plugins, pluginNames, validator, secrets, secretPlaces, report: this.#report };
  }

  #plainComponents(
    root: ConfigNode,
    path: readonly string[],
    kind: PluginKind,
    context: ResolveContext,
  ): readonly PlainComponent[] {
    const { node, found } = nodeAt(root, path);
    if (!found || node.kind !== 'list') return [];
    return node.items.flatMap((item, index) => {
      const component = resolveComponent(item, kind, [...path, index], context);
      this.#references.push(...(component?.references ?? []));
      return component ?? [];
    });
  }

  #checkPipeline(root: ConfigNode): void {
    for (const section of ['inputs', 'outputs']) {
      const { node, found } = nodeAt(root, ['pipeline', section]);
      if (found && (node.kind !== 'list' || node.items.length > 0)) continue;
      this.#reportEmpty(`The pipeline has no ${section}.`, nodeAt(root, ['pipeline']).keyPosition);
    }
  }

  #reportEmpty(message: string, position?: MapNode['position']): void {
    const file = this.#options.files[0] ?? '';
    const place = position ?? { file, line: 0, column: 0 };
    this.#report(
      diagnosticAt(place, message, {
        path: 'pipeline',
        expected: 'at least one entry under pipeline.inputs and under pipeline.outputs',
      }),
    );
  }

  #resolve(
    root: MapNode,
    plainParsers: readonly PlainComponent[],
    plain: readonly (readonly PlainComponent[])[],
    context: ResolveContext,
  ): ResolvedConfig {
    const sections = this.#normalizeSections(root, context);
    const service = resolveService(sections.service);
    const parsers = resolveParsers(plainParsers, this.#report);
    const multilineNode = entryOf(root, 'multiline_parsers')?.value;
    const multilineParsers = resolveMultilineParsers(
      sections.multilineParsers,
      multilineNode?.kind === 'list' ? multilineNode.items : [],
      this.#report,
    );
    const definitions = this.#definitions(root, parsers, multilineParsers);
    const [plainInputs = [], plainFilters = [], plainOutputs = []] = plain;
    const resolve = (components: readonly PlainComponent[]) =>
      resolveComponents(components, service, definitions, this.#report);
    const pairs = (components: readonly PlainComponent[]): ResolvedPair[] =>
      resolve(components).map((config, index) => ({ config, plain: components[index]! }));
    const inputs = pairs(plainInputs);
    const outputs = pairs(plainOutputs);
    const filters = resolve([
      ...this.#processors(inputs, 'input', context),
      ...plainFilters,
      ...this.#processors(outputs, 'output', context),
    ]);
    if (!this.#isIncomplete) checkReferences(this.#references, definitions, this.#report);
    return {
      service,
      env: this.#environment.values,
      parsers,
      multilineParsers,
      plugins: this.pluginPaths(root),
      inputs: ofKind(configsOf(inputs), 'input'),
      filters: ofKind(filters, 'filter'),
      outputs: ofKind(configsOf(outputs), 'output'),
      routes: resolveRoutes(inputs, outputs, this.#report),
      tests: sections.tests,
      files: this.#files,
    };
  }

  #processors(
    owners: readonly ResolvedPair[],
    kind: 'input' | 'output',
    context: ResolveContext,
  ): readonly PlainComponent[] {
    const found = owners.flatMap(({ plain, config }) =>
      resolveProcessors(plain, { kind, id: config.id }, context),
    );
    for (const { references } of found) this.#references.push(...references);
    return found;
  }

  #normalizeSections(root: MapNode, context: ResolveContext): Sections {
    const refer = (reference: Reference) => this.#references.push(reference);
    const normalize = (key: string, empty: unknown): unknown => {
      const schema = this.#coreSchema.properties![key]!;
      const node = entryOf(root, key)?.value ?? fromValue(empty, root.position);
      const { secrets } = context;
      return normalizeTree(node, schema, { secrets, report: this.#report, refer }, [key]);
    };
    // Each has passed its schema.
    return {
      service: normalize('service', {}) as ServiceOptions,
      multilineParsers: normalize('multiline_parsers', []) as readonly unknown[],
      tests: normalize('tests', []) as readonly Readonly<Record<string, unknown>>[],
    };
  }

  /** Definitions that are wrong still count as there: they are reported once, not at each reference. */
  #definitions(
    root: MapNode,
    parsers: ResolvedConfig['parsers'],
    multilineParsers: ResolvedConfig['multilineParsers'],
  ): Definitions {
    const { builtinParsers = [], builtinMultilineParsers = [] } = this.#options;
    const names = (section: string): [string, string][] => {
      const node = entryOf(root, section)?.value;
      const items = node?.kind === 'list' ? node.items : [];
      return items.flatMap((item): [string, string][] => {
        const name = entryIgnoringCase(item, 'name')?.value;
        return name?.kind === 'scalar' ? [[name.text, '']] : [];
      });
    };
    const fingerprints = (list: readonly { name: string; fingerprint: string }[]) =>
      list.map(({ name, fingerprint }): [string, string] => [name, fingerprint]);
    const builtins = (list: readonly string[]) =>
      list.map((name): [string, string] => [name, name]);
    return {
      parsers: new Map([
        ...builtins(builtinParsers),
        ...names('parsers'),
        ...fingerprints(parsers),
      ]),
      multilineParsers: new Map([
        ...builtins(builtinMultilineParsers),
        ...names('multiline_parsers'),
        ...fingerprints(multilineParsers),
      ]),
    };
  }
}

function placeOf({ file, line, column }: SourcePosition): string {
  return `${file}:${line}:${column}`;
}

interface Sections {
  readonly service: ServiceOptions;
  readonly multilineParsers: readonly unknown[];
  readonly tests: readonly Readonly<Record<string, unknown>>[];
}

/** The list form of an `env:` map, so that files may use either form. */
function toEnvironmentList(node: ConfigNode): ConfigNode {
  if (node.kind !== 'map') return node;
  const { position } = node;
  const items = node.entries.map(({ key, keyPosition, value }): MapNode => {
    const name = { key: 'name', keyPosition, value: scalarNode(key, keyPosition) };
    const entries = [name, { key: 'value', keyPosition, value }];
    return { kind: 'map', entries, position: keyPosition };
  });
  return { kind: 'list', items, position };
}

/** Sections that are wrong cannot be normalised; without them the rest is still checked. */
function withoutWrongSections(root: MapNode, problems: readonly Diagnostic[]): MapNode {
  const wrong = new Set(problems.map(({ path }) => /^[^.[]*/.exec(path)![0]));
  return { ...root, entries: root.entries.filter(({ key }) => !wrong.has(key)) };
}

function configsOf(pairs: readonly ResolvedPair[]): readonly ComponentConfig[] {
  return pairs.map(({ config }) => config);
}

function ofKind<Kind extends ComponentConfig['kind']>(
  components: readonly ComponentConfig[],
  kind: Kind,
): readonly Extract<ComponentConfig, { kind: Kind }>[] {
  return components.filter(
    (component): component is Extract<ComponentConfig, { kind: Kind }> => component.kind === kind,
  );
}
