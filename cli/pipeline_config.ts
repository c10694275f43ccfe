import { dirname, resolve } from 'node:path';
import { type Diagnostic, formatDiagnostic } from '../core/config/diagnostic.ts';
import { listPluginPaths, loadConfig } from '../core/config/load.ts';
import type { ResolvedConfig } from '../core/config/resolved.ts';
import { schemaOf } from '../core/config/schema_of.ts';
import { messageOf } from '../core/errors/sluice_error.ts';
import { compileRegex } from '../core/regex/regex.ts';
import { compileDateFormat } from '../core/time/date_parser.ts';
import { timeZone } from '../core/time/time_zone.ts';
import type { PluginSet } from '../core/topology/component_factory.ts';
import { builtInMultilineNames } from '../plugins/shared/multiline/index.ts';
import { ownPlugins, withThirdParty } from './plugin_set.ts';

export interface LoadedPipeline {
  readonly config: ResolvedConfig;
  readonly plugins: PluginSet;
  /** Directory that relative paths in the file refer to. */
  readonly baseDirectory: string;
  readonly warnings: readonly Diagnostic[];
}

export type LoadOutcome =
  | { readonly ok: true; readonly pipeline: LoadedPipeline }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[]; readonly text: string };

/** Reads pipeline files as `sluice run` and `sluice check` do. */
export async function loadPipeline(
  files: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<LoadOutcome> {
  const base = {
    files,
    env,
    builtinParsers: Object.keys(ownPlugins.builtInParsers),
    builtinMultilineParsers: builtInMultilineNames,
    ...syntaxChecks,
  };
  let plugins: PluginSet;
  try {
    plugins = await withThirdParty(listPluginPaths(base).plugins);
  } catch (error) {
    return { ok: false, diagnostics: [], text: `error: ${messageOf(error)}\n` };
  }
  const result = loadConfig({ ...base, plugins: plugins.plugins.map(schemaOf) });
  if (result.config === undefined) {
    const text = result.diagnostics.map((one) => `${formatDiagnostic(one)}\n`).join('\n');
    return { ok: false, diagnostics: result.diagnostics, text };
  }
  return {
    ok: true,
    pipeline: {
      config: result.config,
      plugins,
      baseDirectory: dirname(resolve(files[0]!)),
      warnings: result.diagnostics,
    },
  };
}

const syntaxChecks = {
  checkRegex: (source: string) => problemOf(() => compileRegex(source)),
  checkDateFormat: (format: string) => problemOf(() => compileDateFormat(format)),
  checkTimeZone: (name: string) => problemOf(() => timeZone(name)),
};

function problemOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
