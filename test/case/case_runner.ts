import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { formatDiagnostic } from '../../core/config/diagnostic.ts';
import type { ResolvedConfig } from '../../core/config/resolved.ts';
import { loadKernel } from '../../core/kernel/kernel.ts';
import { silentLog } from '../../core/telemetry/log.ts';
import { assertConservation, scriptedOutput } from '../../core/testing/index.ts';
import { systemClock } from '../../core/time/clock.ts';
import { Agent } from '../../core/topology/agent.ts';
import { type LoadedPipeline, loadPipeline } from '../../cli/pipeline_config.ts';
import { plugin as exec } from '../../plugins/inputs/exec/index.ts';
import { projectRoot } from '../../scripts/project_root.ts';

/** A case folder: a pipeline, what goes in, and what each output must get.
 *
 *      pipeline.yaml          or the pipeline of the folder two levels up (pipelines/NAME/tests/CASE)
 *      case.yaml              optional: `env: {NAME: value}`; `{case}` in a value is this folder
 *      expected.OUTPUT.ndjson the records of that output (its alias, or NAME.INDEX), in order,
 *                             to the byte; a file that is missing expects none
 *
 *      input.INPUT.ndjson     optional: the records of that input (its alias, or NAME.INDEX), which
 *                             cannot run everywhere
 *
 *  Outputs are replaced by ones that collect; `tail` inputs read from the head and end at the end
 *  of the file. In what is expected, `{host}` is this machine's name. A record's
 *  `@timestamp` is compared when the expected record has one. */
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
  try {
    const starting = startCase(loaded.pipeline, directory, {
      withKernel,
      workers,
      folder: folder.directory,
    });
    if (workers > 1 && oneThreadCases.includes(folder.name)) {
      await assert.rejects(starting, /"[^"]+" cannot run on several threads: .*service\.workers/);
      return;
    }
    const { agent, collected } = await starting;
    await agent.finished();
    await agent.stop();
    assertConservation(agent.metrics, { drained: true });
    for (const [id, texts] of collected) compare(folder, id, texts);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface StartedCase {
  readonly agent: Agent;
  /** Texts of the records that each output got so far. */
  readonly collected: ReadonlyMap<string, readonly string[]>;
}

export interface CaseOptions {
  readonly withKernel: boolean;
  readonly workers?: number;
  /** Has records that take the place of inputs. */
  readonly folder?: string;
}

/** Starts a pipeline with outputs that collect. `directory` is for its state. */
export async function startCase(
  pipeline: LoadedPipeline,
  directory: string,
  { withKernel, workers = 1, folder = directory }: CaseOptions,
): Promise<StartedCase> {
  const collectors = new Map(
    pipeline.config.outputs.map(({ id }) => [
      id,
      scriptedOutput(`collect_${id}`, { timeKey: '@timestamp' }),
    ]),
  );
  const agent = await Agent.start({
    config: caseConfig(pipeline.config, directory, { folder, workers }),
    plugins: {
      ...pipeline.plugins,
      plugins: [
        ...pipeline.plugins.plugins.filter(({ name }) => name !== exec.name),
        exec,
        ...[...collectors.values()].map(({ plugin }) => plugin),
      ],
    },
    clock: systemClock,
    kernel: withKernel ? loadKernel() : undefined,
    baseDirectory: pipeline.baseDirectory,
    logFor: () => silentLog,
    workerProgram: { url: new URL('./case_worker.js', import.meta.url) },
  });
  const collected = new Map([...collectors].map(([id, { texts }]) => [id, texts]));
  return { agent, collected };
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

function caseConfig(
  config: ResolvedConfig,
  directory: string,
  { folder, workers }: { folder: string; workers: number },
): ResolvedConfig {
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
    inputs: config.inputs.map((input) => caseInput(input, folder)),
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
  const text = existsSync(path) ? readFileSync(path, 'utf8').replaceAll('{host}', hostname()) : '';
  const expected = text.split('\n').slice(0, -1);
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

function caseInput(
  input: ResolvedConfig['inputs'][number],
  folder: string,
): ResolvedConfig['inputs'][number] {
  const records = join(folder, `input.${input.id}.ndjson`);
  if (existsSync(records)) {
    const command = ['cat', records];
    const limits = { interval: 1000, timeout: 30_000, output_bytes_max: 2 ** 20 };
    const lanes = {
      ...{ high_workers: 1, high_queue: 1, high_timeout: 30_000 },
      ...{ normal_workers: 1, normal_queue: 1, normal_timeout: 30_000 },
    };
    const options = {
      ...lanes,
      command,
      commands: [],
      priority: 'normal',
      format: 'json',
      oneshot: true,
      key: 'exec',
      environment: {},
      ...limits,
    };
    return { ...input, plugin: 'exec', options };
  }
  if (input.plugin !== 'tail') return input;
  return { ...input, options: { ...input.options, exit_on_eof: true, read_from_head: true } };
}
