import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { formatDiagnostic } from '../../core/config/diagnostic.ts';
import type { ResolvedConfig } from '../../core/config/resolved.ts';
import { loadKernel } from '../../core/kernel/kernel.ts';
import { silentLog } from '../../core/telemetry/log.ts';
import { assertConservation, scriptedOutput } from '../../core/testing/index.ts';
import { systemClock } from '../../core/time/clock.ts';
import { Agent } from '../../core/topology/agent.ts';
import { loadPipeline } from '../../cli/pipeline_config.ts';
import { projectRoot } from '../../scripts/project_root.ts';

/** A case folder: a pipeline, what goes in, and what each output must get.
 *
 *      pipeline.yaml          or the pipeline of the folder two levels up (pipelines/NAME/tests/CASE)
 *      case.yaml              optional: `env: {NAME: value}`; `{case}` in a value is this folder
 *      expected.OUTPUT.ndjson the records of that output (its alias, or NAME.INDEX), in order,
 *                             to the byte; a file that is missing expects none
 *
 *  Outputs are replaced by ones that collect; `tail` inputs read from the head and end at the end
 *  of the file. A record's `@timestamp` is compared when the expected record has one. */
export interface CaseFolder {
  readonly name: string;
  readonly directory: string;
  readonly pipeline: string;
  /** One of `test/case/cases`. */
  readonly isOwn: boolean;
}

/** All case folders: `test/case/cases/*` and `pipelines/*\/tests/*`. */
export function caseFolders(): CaseFolder[] {
  const root = projectRoot();
  const own = foldersBelow(join(root, 'test', 'case', 'cases'));
  const shipped = foldersBelow(join(root, 'pipelines')).flatMap((pipeline) =>
    foldersBelow(join(pipeline, 'tests')),
  );
  return [...own, ...shipped].map((directory) => {
    const isOwn = existsSync(join(directory, 'pipeline.yaml'));
    const home = isOwn ? directory : dirname(dirname(directory));
    const name = isOwn ? basename(directory) : `${basename(home)}: ${basename(directory)}`;
    return { name, directory, pipeline: join(home, 'pipeline.yaml'), isOwn };
  });
}

/** Runs a case and asserts what its outputs got, with the kernel or without, or in worker threads.
 *  A case that only one thread can run asserts that more are refused. */
export async function runCase(
  folder: CaseFolder,
  { withKernel = true, workers = 1 }: { withKernel?: boolean; workers?: number } = {},
): Promise<void> {
  const loaded = await loadPipeline([folder.pipeline], caseEnvironment(folder.directory));
  if (!loaded.ok) throw new Error(loaded.text);
  const warnings = loaded.pipeline.warnings.map((one) => formatDiagnostic(one));
  assert.deepEqual(warnings, [], 'a case has no warnings');
  const directory = mkdtempSync(join(tmpdir(), 'sluice-case-'));
  const collectors = new Map(
    loaded.pipeline.config.outputs.map(({ id }) => [
      id,
      scriptedOutput(`collect_${id}`, { timeKey: '@timestamp' }),
    ]),
  );
  try {
    const starting = Agent.start({
      config: caseConfig(loaded.pipeline.config, directory, workers),
      plugins: {
        ...loaded.pipeline.plugins,
        plugins: [
          ...loaded.pipeline.plugins.plugins,
          ...[...collectors.values()].map(({ plugin }) => plugin),
        ],
      },
      clock: systemClock,
      kernel: withKernel ? loadKernel() : undefined,
      baseDirectory: loaded.pipeline.baseDirectory,
      logFor: () => silentLog,
      workerProgram: { url: new URL('./case_worker.js', import.meta.url) },
    });
    if (workers > 1 && oneThreadCases.includes(folder.name)) {
      await assert.rejects(starting, /"[^"]+" cannot run on several threads: .*service\.workers/);
      return;
    }
    const agent = await starting;
    await agent.finished();
    await agent.stop();
    assertConservation(agent.metrics, { drained: true });
    for (const [id, { texts }] of collectors) compare(folder, id, texts);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Cases with a filter that may remember earlier records. */
const oneThreadCases: readonly string[] = ['split_severity_script'];

function caseEnvironment(directory: string): NodeJS.ProcessEnv {
  const path = join(directory, 'case.yaml');
  if (!existsSync(path)) return process.env;
  // Written by us, beside the case.
  const settings = parse(readFileSync(path, 'utf8')) as { env?: Record<string, string> };
  const env = Object.entries(settings.env ?? {}).map(([name, value]) => [
    name,
    value.replaceAll('{case}', directory),
  ]);
  return { ...process.env, ...Object.fromEntries(env) };
}

function caseConfig(config: ResolvedConfig, directory: string, workers: number): ResolvedConfig {
  const storagePath = join(directory, 'data');
  return {
    ...config,
    service: {
      ...config.service,
      workers,
      flushMs: 20,
      storagePath,
      deadLetterPath: join(storagePath, 'dead_letters'),
    },
    inputs: config.inputs.map((input) =>
      input.plugin === 'tail'
        ? { ...input, options: { ...input.options, exit_on_eof: true, read_from_head: true } }
        : input,
    ),
    outputs: config.outputs.map((output) => ({
      ...output,
      plugin: `collect_${output.id}`,
      options: {},
      base: {
        ...output.base,
        flushMs: 20,
        storage: { ...output.base.storage, type: 'memory', path: storagePath },
      },
    })),
  };
}

function compare(folder: CaseFolder, outputId: string, texts: readonly string[]): void {
  const path = join(folder.directory, `expected.${outputId}.ndjson`);
  const expected = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  if (process.env['SLUICE_CASES'] === 'show') console.log(`${outputId}:\n${texts.join('\n')}`);
  // Compared as text: untouched members keep their exact bytes.
  const seen = texts.map((text, index) =>
    expected[index]?.includes('"@timestamp":') === true ? text : withoutTime(text),
  );
  assert.deepEqual(seen, expected, `output ${outputId}`);
}

/** Takes the ingest time out again: it stands last. */
function withoutTime(text: string): string {
  return text.replace(/,?"@timestamp":"[^"]*"\}$/, '}');
}

function foldersBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name))
    .sort();
}
