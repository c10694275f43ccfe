import { loadConfig } from '../core/config/load.ts';
import { formatDiagnostic } from '../core/config/diagnostic.ts';
import type { FilterConfig, ResolvedConfig } from '../core/config/resolved.ts';
import { SluiceError } from '../core/errors/sluice_error.ts';
import type { Parser } from '../core/sdk/contracts.ts';
import { type AnyPlugin, defineFilter } from '../core/sdk/define.ts';
import { Health } from '../core/telemetry/health.ts';
import { silentLog } from '../core/telemetry/log.ts';
import { Metrics } from '../core/telemetry/metrics.ts';
import { systemClock } from '../core/time/clock.ts';
import { ComponentFactory, type PluginSet } from '../core/topology/component_factory.ts';
import { schemaOf } from '../core/config/schema_of.ts';

/** Makes a parser as a pipeline of this configuration would.
 *  Errors: SLUICE_OPTION_INVALID when there is none of that name. */
export function makeParser(
  name: string,
  config: ResolvedConfig,
  plugins: PluginSet,
  baseDirectory: string,
): Parser {
  let made: Parser | undefined;
  // Only components get parsers: this one does nothing else.
  const taker = defineFilter({
    name: takerName,
    summary: '',
    stability: 'stable',
    schema: { type: 'object', properties: {} },
    example: '',
    create(_, context) {
      made = context.parser(name);
      return { process() {} };
    },
  });
  const factory = new ComponentFactory(
    config,
    // The registry holds plugins of every option type.
    { ...plugins, plugins: [taker as unknown as AnyPlugin, ...plugins.plugins] },
    {
      clock: systemClock,
      metrics: new Metrics(),
      health: new Health(systemClock),
      kernel: undefined,
      baseDirectory,
      logFor: () => silentLog,
    },
  );
  factory.filter(takerConfig);
  return made!;
}

/** A configuration with one parser, called as its format is, with the options given as text.
 *  Errors: SLUICE_CONFIG_INVALID with what is wrong. */
export function configWithParser(
  format: string,
  options: Readonly<Record<string, string>>,
  plugins: PluginSet,
): ResolvedConfig {
  const text = JSON.stringify({ parsers: [{ ...options, name: format, format }] });
  const result = loadConfig({
    files: ['options'],
    plugins: plugins.plugins.map(schemaOf),
    access: { readFile: () => text },
    requirePipeline: false,
    env: {},
  });
  if (result.config !== undefined) return result.config;
  const problems = result.diagnostics.map((one) => formatDiagnostic(one)).join('\n');
  throw new SluiceError(
    'SLUICE_CONFIG_INVALID',
    `The parser "${format}" needs other options:\n${problems}`,
  );
}

const takerName = 'take_parser';

const takerConfig: FilterConfig = {
  kind: 'filter',
  plugin: takerName,
  id: takerName,
  alias: undefined,
  base: {
    match: '*',
    matchRegex: undefined,
    when: undefined,
    logLevel: undefined,
    processorOf: undefined,
  },
  options: {},
  position: { file: '', line: 0, column: 0 },
  fingerprint: '',
};
