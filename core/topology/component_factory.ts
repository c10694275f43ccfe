import { hostname } from 'node:os';
import type { FileSystem } from '../buffer/file_system.ts';
import { ByteWriter } from '../batch/byte_writer.ts';
import { EventView } from '../batch/event_view.ts';
import { type Field, fieldOf } from '../batch/field.ts';
import { compileFieldPath } from '../config/field_path.ts';
import { nearest } from '../config/nearest.ts';
import type {
  ComponentConfig,
  FilterConfig,
  InputConfig,
  OutputConfig,
  ResolvedConfig,
  RoutingBase,
} from '../config/resolved.ts';
import { SluiceError } from '../errors/sluice_error.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { compileRegex } from '../regex/regex.ts';
import type {
  BatchFilter,
  EventFilter,
  Input,
  Log,
  MultilineDefinition,
  Output,
  Parser,
  PluginContext,
  SourceRegistry,
} from '../sdk/contracts.ts';
import type {
  AnyPlugin,
  FilterPlugin,
  InputPlugin,
  OutputPlugin,
  ParserPlugin,
} from '../sdk/define.ts';
import type { Health } from '../telemetry/health.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { ByInput, Condition, type Selector } from './condition.ts';
import { TagMatcher, wildcardMatcher } from './tag_matcher.ts';
import { WatchedExpression } from './watched_expression.ts';

/** Everything that can be named in a pipeline file. */
export interface PluginSet {
  readonly plugins: readonly AnyPlugin[];
  /** Parsers usable without a definition: name → format and options. */
  readonly builtInParsers: Readonly<Record<string, BuiltInParser>>;
}

export interface BuiltInParser {
  readonly format: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface FactoryServices {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Hides the secrets of the configuration in a text, such as a server's own words. */
  readonly conceal?: (text: string) => string;
  readonly kernel: Kernel | undefined;
  readonly baseDirectory: string;
  /** What outputs keep their records on; the machine's disk when absent. */
  readonly fileSystem?: FileSystem;
  readonly logFor: (component: string, level?: LogLevel) => Log;
}

/** Makes plugin instances out of a configuration. Does no I/O and starts nothing. */
export class ComponentFactory {
  private readonly config: ResolvedConfig;
  private readonly set: PluginSet;
  private readonly services: FactoryServices;
  private readonly viewWriter = new ByteWriter(4096);

  constructor(config: ResolvedConfig, set: PluginSet, services: FactoryServices) {
    this.config = config;
    this.set = set;
    this.services = services;
  }

  input(config: InputConfig, sources: SourceRegistry): Input {
    const plugin = this.find('input', config.plugin) as unknown as InputPlugin<unknown>;
    return plugin.create(config.options, {
      ...this.context(config),
      tag: config.base.tag,
      sources,
    });
  }

  /** `declared` takes the names of the fields that the filter declares, in order. */
  filter(config: FilterConfig, declared: string[] = []): BatchFilter | EventFilter {
    const plugin = this.find('filter', config.plugin) as unknown as FilterPlugin<unknown>;
    if (this.config.service.workers > 1 && plugin.isStateless !== true) {
      throw workersRefused(config, `the filter "${plugin.name}" may remember earlier records`);
    }
    return plugin.create(config.options, this.context(config, declared));
  }

  output(config: OutputConfig): Output {
    const plugin = this.outputPlugin(config);
    if (this.config.service.workers > 1 && plugin.encodesApart !== true) {
      throw workersRefused(config, `the output "${plugin.name}" encodes where it delivers`);
    }
    return plugin.create(config.options, {
      ...this.context(config),
      outputId: config.id,
      tls: config.base.tls,
    });
  }

  outputPlugin(config: OutputConfig): OutputPlugin<unknown> {
    return this.find('output', config.plugin) as unknown as OutputPlugin<unknown>;
  }

  inputPlugin(config: InputConfig): InputPlugin<unknown> {
    return this.find('input', config.plugin) as unknown as InputPlugin<unknown>;
  }

  /** What the engine did not take of an input comes again. */
  givesBack(config: InputConfig): boolean {
    const { replayable, refusable } = this.inputPlugin(config);
    return replayable === true || refusable === true;
  }

  filterCondition({ base }: FilterConfig): Selector {
    const condition = this.condition(base);
    if (base.processorOf?.kind !== 'input') return condition;
    return new ByInput(new Map([[base.processorOf.id, condition]]), undefined);
  }

  /** Inputs with `routes` say themselves what goes where. */
  outputCondition({ base, id }: OutputConfig): Selector {
    const { byInput, routedOnly } = this.config.routes;
    const others = routedOnly.has(id) ? undefined : this.condition(base);
    if (byInput.size === 0 && others !== undefined) return others;
    const inputs = [...byInput].map(([input, routes]): [string, Selector | undefined] => {
      if (!routes.has(id)) return [input, undefined];
      const when = [base.when, routes.get(id)].flatMap((one) => one ?? []);
      return [
        input,
        this.condition({
          match: '*',
          matchRegex: undefined,
          when: when.length === 0 ? undefined : when.map((one) => `(${one})`).join(' and '),
        }),
      ];
    });
    return new ByInput(new Map(inputs), others);
  }

  private condition(base: Pick<RoutingBase, 'match' | 'matchRegex' | 'when'>): Condition {
    const labels = { component: 'agent', kind: 'agent' };
    const timeouts = this.services.metrics.counter('sluice_condition_timeouts_total', labels);
    const onGivenUp = (events: number) => {
      timeouts.value += events;
    };
    const when = base.when === undefined ? undefined : new WatchedExpression(base.when, onGivenUp);
    return new Condition(tagMatcher(base), when);
  }

  /** A view for the per-event door; one per filter, never shared. */
  eventView(): EventView {
    return new EventView(resolveField, this.viewWriter, this.services.kernel);
  }

  private find(kind: AnyPlugin['kind'], name: string): AnyPlugin {
    const found = this.set.plugins.find(
      (plugin) =>
        plugin.kind === kind && (plugin.name === name || plugin.aliases?.includes(name) === true),
    );
    if (found !== undefined) return found;
    throw new SluiceError('SLUICE_PLUGIN_UNKNOWN', `There is no ${kind} plugin "${name}".`);
  }

  private context(config: ComponentConfig, declared: string[] = []): PluginContext {
    const declare = (field: Field): Field => {
      if (declared.length < declaredMax) declared.push(field.keys[0]!, field.name);
      return field;
    };
    const { clock, metrics, health, kernel, baseDirectory, logFor } = this.services;
    const { service, env } = this.config;
    return {
      id: config.id,
      log: logFor(config.id, config.base.logLevel),
      clock,
      metrics: metrics.forComponent(config.kind, config.id),
      baseDirectory,
      kernel,
      service: {
        eventBytesMax: service.eventBytesMax,
        flushMs: service.flushMs,
        multilineBufferLimitBytes: service.multilineBufferLimitBytes,
        hostName: hostname(),
        storagePath: service.storagePath,
      },
      field: (reference) => declare(resolveField(reference)),
      declare,
      environment: (name) => (Object.hasOwn(env, name) ? env[name] : process.env[name]),
      parser: (name) => this.parser(name, config, declared),
      multilineRules: (name) => this.multilineRules(name),
      setHealth: (problem) => health.set(`${config.kind} ${config.id}`, problem),
    };
  }

  private parser(name: string, user: ComponentConfig, declared: string[]): Parser {
    const defined = this.config.parsers.find((parser) => parser.name === name);
    const builtIn = defined === undefined ? this.set.builtInParsers[name] : undefined;
    const format = defined?.format ?? builtIn?.format;
    if (format === undefined) {
      const names = [
        ...this.config.parsers.map((parser) => parser.name),
        ...Object.keys(this.set.builtInParsers),
      ];
      const near = nearest(name, names);
      throw new SluiceError(
        'SLUICE_OPTION_INVALID',
        `There is no parser "${name}"${near === undefined ? '' : `; did you mean "${near}"`}: define it under parsers.`,
      );
    }
    const plugin = this.find('parser', format) as unknown as ParserPlugin<unknown>;
    const options = defined?.options ?? builtIn?.options ?? {};
    const isApart = user.kind === 'filter' && this.config.service.workers > 1;
    if (isApart && plugin.isStateless?.(options) !== true) {
      throw workersRefused(user, `its parser "${name}" remembers earlier texts`);
    }
    return plugin.create(options, { ...this.context(user, declared), parserName: name });
  }

  private multilineRules(name: string): MultilineDefinition {
    const defined = this.config.multilineParsers.find((parser) => parser.name === name);
    if (defined !== undefined) return defined;
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `There is no multiline parser "${name}": define it under multiline_parsers.`,
    );
  }
}

function workersRefused({ id, kind, position }: ComponentConfig, why: string): SluiceError {
  const { file, line, column } = position;
  return new SluiceError(
    'SLUICE_CONFIG_INVALID',
    `${file}:${line}:${column}: ${kind} "${id}" cannot run on several threads: ${why}. Set service.workers to 1, or take it out.`,
  );
}

/** Scripts name fields while they run; those have no part in the order. */
const declaredMax = 20_000;

function resolveField(reference: string): Field {
  const path = compileFieldPath(reference);
  return fieldOf(path.keys, path.literal);
}

function tagMatcher(base: Pick<RoutingBase, 'match' | 'matchRegex'>): TagMatcher {
  if (base.matchRegex === undefined) return new TagMatcher(wildcardMatcher(base.match));
  const regex = compileRegex(base.matchRegex);
  return new TagMatcher((tag) => regex.test(tag));
}
