import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatDiagnostic } from '../config/diagnostic.ts';
import { loadConfig } from '../config/load.ts';
import type { ComponentConfig, ParserConfig, ResolvedConfig } from '../config/resolved.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SourceRegistry } from '../sdk/contracts.ts';
import type { AnyPlugin } from '../sdk/define.ts';
import { Health } from '../telemetry/health.ts';
import { silentLog } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { systemClock } from '../time/clock.ts';
import { type BuiltInParser, ComponentFactory } from '../topology/component_factory.ts';
import { scratchSources } from './scratch_sources.ts';
import { schemaOf } from '../config/schema_of.ts';

/** What surrounds a plugin that is put to the contract of its kind. */
export interface ContractSurroundings {
  /** All plugins that the example names; the plugin alone when absent. */
  readonly plugins?: readonly AnyPlugin[];
  readonly builtInParsers?: Readonly<Record<string, BuiltInParser>>;
  readonly builtInMultilineNames?: readonly string[];
  /** Where relative paths of the example lead, and where outputs write. */
  readonly directory?: string;
  readonly kernel?: Kernel | undefined;
  /** Options that stand in for those of the example, normalised: a port that is free. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** One rule of a contract. `check` throws what is wrong with the plugin. */
export interface ContractRule {
  /** What holds of every plugin, as the end of a sentence. */
  readonly says: string;
  check(subject: ContractSubject): void | Promise<void>;
}

/** A plugin with the component of its example that uses it. */
export class ContractSubject {
  readonly plugin: AnyPlugin;
  readonly directory: string;
  readonly kernel: Kernel | undefined;
  private readonly surroundings: ContractSurroundings;
  private loaded: ResolvedConfig | undefined;

  constructor(plugin: AnyPlugin, surroundings: ContractSurroundings = {}) {
    this.plugin = plugin;
    this.surroundings = surroundings;
    this.directory = surroundings.directory ?? join(tmpdir(), 'sluice-contract');
    this.kernel = surroundings.kernel;
  }

  /** The example as the agent would load it. Throws its diagnostics, warnings too. */
  get config(): ResolvedConfig {
    this.loaded ??= this.load();
    return this.loaded;
  }

  /** The component of the example that is this plugin. */
  get component(): ComponentConfig {
    const { plugin, config } = this;
    const all: readonly ComponentConfig[] = [
      ...config.inputs,
      ...config.filters,
      ...config.outputs,
    ];
    const found = all.find((one) => one.kind === plugin.kind && one.plugin === plugin.name);
    if (found === undefined) throw new Error(`The example has no ${plugin.kind} ${plugin.name}.`);
    const { options } = this.surroundings;
    return options === undefined ? found : { ...found, options: { ...found.options, ...options } };
  }

  /** The definition of the example that has this format. */
  get parserDefinition(): ParserConfig {
    const found = this.config.parsers.find(({ format }) => format === this.plugin.name);
    if (found === undefined) throw new Error(`The example has no format ${this.plugin.name}.`);
    return found;
  }

  /** Makes instances with metrics of their own. */
  makeFactory(): { factory: ComponentFactory; metrics: Metrics; sources: SourceRegistry } {
    const metrics = new Metrics();
    const { plugins = [this.plugin], builtInParsers = {} } = this.surroundings;
    const set = { plugins, builtInParsers };
    const factory = new ComponentFactory(this.config, set, {
      clock: systemClock,
      metrics,
      health: new Health(systemClock),
      kernel: this.kernel,
      baseDirectory: this.directory,
      logFor: () => silentLog,
    });
    return { factory, metrics, sources: scratchSources() };
  }

  /** Makes an instance of whatever kind. */
  create(): { close?(): Promise<void> } {
    const { component } = this;
    const { factory, sources } = this.makeFactory();
    if (component.kind === 'input') return factory.input(component, sources);
    return component.kind === 'filter' ? factory.filter(component) : factory.output(component);
  }

  private load(): ResolvedConfig {
    const {
      plugins = [this.plugin],
      builtInParsers = {},
      builtInMultilineNames = [],
    } = this.surroundings;
    const result = loadConfig({
      files: [join(this.directory, 'example.yaml')],
      cwd: this.directory,
      env: {},
      plugins: plugins.map(schemaOf),
      builtinParsers: Object.keys(builtInParsers),
      builtinMultilineParsers: builtInMultilineNames,
      access: { readFile: () => this.plugin.example },
    });
    if (result.config === undefined || result.diagnostics.length > 0) {
      throw new Error(result.diagnostics.map((one) => formatDiagnostic(one)).join('\n'));
    }
    return result.config;
  }
}
