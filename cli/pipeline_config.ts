import { dirname, resolve } from 'node:path';
import { type Diagnostic, formatDiagnostic } from '../core/config/diagnostic.ts';
import { readPipelineFiles } from '../core/config/load.ts';
import type { ResolvedConfig } from '../core/config/resolved.ts';
import { schemaOf } from '../core/config/schema_of.ts';
import { messageOf } from '../core/errors/sluice_error.ts';
import { compileRegex } from '../core/regex/regex.ts';
import type { AnyPlugin } from '../core/sdk/define.ts';
import { compileDateFormat } from '../core/time/date_parser.ts';
import { timeZone } from '../core/time/time_zone.ts';
import type { PluginSet } from '../core/topology/component_factory.ts';
import { builtInMultilineNames } from '../plugins/shared/multiline/index.ts';
import {
  builtInParsers,
  catalogue,
  entriesNamed,
  entriesOfParsers,
  importPlugins,
  importThirdParty,
} from './plugin_set.ts';

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
    builtinParsers: Object.keys(builtInParsers),
    builtinMultilineParsers: builtInMultilineNames,
    ...syntaxChecks,
  };
  const read = readPipelineFiles(base);
  let thirdParty: readonly AnyPlugin[];
  try {
    thirdParty = await importThirdParty(read.pluginPaths);
  } catch (error) {
    return { ok: false, diagnostics: [], text: `error: ${messageOf(error)}\n` };
  }
  const named = entriesNamed(read.mentions);
  const own = await importPlugins(named);
  const { config, diagnostics, parserNames } = read.load([...thirdParty, ...own].map(schemaOf), [
    ...thirdParty,
    ...catalogue,
  ]);
  if (config === undefined) {
    const text = diagnostics.map((one) => `${formatDiagnostic(one)}\n`).join('\n');
    return { ok: false, diagnostics, text };
  }
  const behindParsers = entriesOfParsers(parserNames).filter((entry) => !named.includes(entry));
  const plugins = [...thirdParty, ...own, ...(await importPlugins(behindParsers))];
  return {
    ok: true,
    pipeline: {
      config,
      plugins: { plugins, builtInParsers },
      baseDirectory: dirname(resolve(files[0]!)),
      warnings: diagnostics,
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
