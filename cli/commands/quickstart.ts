import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf, SluiceError } from '../../core/errors/sluice_error.ts';
import type { Agent } from '../../core/topology/agent.ts';
import { loadDuckdb } from '../../plugins/outputs/duckdb/database.ts';
import type { Command, CommandCall } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { type LoadedPipeline, loadPipeline } from '../pipeline_config.ts';
import { Progress } from '../progress.ts';
import {
  countryDatabase,
  quickstartDatabase,
  quickstartDirectory,
  quickstartPipelineDirectory,
} from '../quickstart_place.ts';
import { quickstartSummary } from '../quickstart_summary.ts';
import { textOption, usageError } from '../usage_error.ts';
import { openTelemetry, startAgent } from './run.ts';

/** `sluice quickstart [FILE]`: an access log into a database, and what is in it. */
export const quickstart: Command = {
  name: 'quickstart',
  summary: 'Reads an access log (a sample, or FILE) into a database and says what is in it.',
  usage: 'sluice quickstart [--output DIRECTORY] [--keep] [FILE]',
  options: {
    output: {
      type: 'string',
      help: `Directory for the database; ${quickstartDirectory} when absent.`,
    },
    keep: {
      type: 'boolean',
      help: 'Add to the database that is there, and read only what is new in the file.',
    },
  },
  async run(call) {
    if (call.positionals.length > 1) return usageError(call, quickstart, 'name one file at most');
    try {
      await loadDuckdb().catch(explainMissing);
      const place = preparePlace(call);
      const loaded = await loadPipeline([place.pipeline], place.env);
      if (!loaded.ok) {
        call.stderr.write(loaded.text);
        return exitCode.configuration;
      }
      return await readAll(call, place, withoutMissingCountries(call, loaded.pipeline));
    } catch (error) {
      call.stderr.write(`error: ${messageOf(error)}\n`);
      const isConfig = error instanceof SluiceError && error.kind === 'config';
      return isConfig ? exitCode.configuration : exitCode.failure;
    }
  },
};

interface Place {
  readonly source: string;
  readonly bytes: number;
  readonly directory: string;
  readonly database: string;
  readonly pipeline: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Looks at the file and makes room for a fresh database. Throws what a person can mend. */
function preparePlace(call: CommandCall): Place {
  const own = quickstartPipelineDirectory();
  const source = resolve(call.positionals[0] ?? join(own, 'sample', 'access.log'));
  const bytes = sizeOf(source);
  const directory = resolve(textOption(call, 'output') ?? quickstartDirectory);
  const database = quickstartDatabase(directory);
  const state = join(directory, 'sluice-state');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (existsSync(database) && call.values['keep'] !== true) {
    call.stdout.write(
      `Starting anew: the database of an earlier run in ${directory} is replaced.\n`,
    );
    for (const path of [database, `${database}.wal`]) rmSync(path, { force: true });
    rmSync(state, { recursive: true, force: true });
  }
  return {
    source,
    bytes,
    directory,
    database,
    pipeline: join(own, 'pipeline.yaml'),
    env: {
      ...process.env,
      SLUICE_LOG: source,
      SLUICE_QUICKSTART_DATABASE: database,
      SLUICE_QUICKSTART_STATE: state,
      SLUICE_GEOIP_DATABASE: process.env['SLUICE_GEOIP_DATABASE'] ?? countryDatabase() ?? '',
    },
  };
}

function sizeOf(source: string): number {
  const stats = statSync(source, { throwIfNoEntry: false });
  if (stats?.isFile() === true) return stats.size;
  const problem = stats === undefined ? 'There is no file' : 'This is not a file:';
  throw new SluiceError('SLUICE_OPTION_INVALID', `${problem} ${source}.`);
}

/** Without the country database, which comes with a checkout, records go without countries. */
function withoutMissingCountries(call: CommandCall, pipeline: LoadedPipeline): LoadedPipeline {
  const named = process.env['SLUICE_GEOIP_DATABASE'];
  if ((named !== undefined && named !== '') || countryDatabase() !== undefined) return pipeline;
  call.stdout.write(
    'No country database is installed, so countries are left out: set SLUICE_GEOIP_DATABASE to a .mmdb file to have them.\n',
  );
  const filters = pipeline.config.filters.map((filter) => {
    if (filter.plugin !== 'enrich') return filter;
    const { geoip: _, ...options } = filter.options;
    return { ...filter, options };
  });
  return { ...pipeline, config: { ...pipeline.config, filters } };
}

function explainMissing(error: unknown): never {
  throw new SluiceError(
    'SLUICE_DRIVER_MISSING',
    `The quickstart stores records with DuckDB, an optional library that npm could not install on this machine: try "npm install @duckdb/node-api", or send the records elsewhere by changing the output in pipelines/quickstart/pipeline.yaml.`,
    { cause: error },
  );
}

async function readAll(call: CommandCall, place: Place, pipeline: LoadedPipeline): Promise<number> {
  call.stdout.write(`Reading ${place.source} ...\n`);
  const startedAtMs = performance.now();
  const agent = await startAgent(pipeline, openTelemetry(pipeline.config, call));
  const progress = new Progress({
    stream: call.stdout,
    bytesTotal: place.bytes,
    read: () => ({ bytes: bytesRead(agent), records: delivered(agent) }),
  });
  progress.start();
  const stop = stopOnSignal(agent);
  await Promise.race([agent.finished(), stop.asked]);
  const seconds = (performance.now() - startedAtMs) / 1000;
  progress.finish();
  const report = await agent.stop();
  stop.forget();
  if (agent.hasFailed) {
    throw new SluiceError('SLUICE_STORAGE_FAILED', `${place.source} could not be read to its end.`);
  }
  call.stdout.write(
    await quickstartSummary({
      source: place.source,
      bytes: place.bytes,
      database: place.database,
      pipeline: place.pipeline,
      seconds,
      records: report.delivered,
      refused: report.deadLettered,
      program: 'npx --no sluice',
    }),
  );
  return exitCode.ok;
}

function bytesRead(agent: Agent): number {
  return agent.inputs.reduce((total, { config }) => {
    const labels = { component: config.id, kind: 'input' };
    return total + agent.metrics.value('sluice_input_bytes_total', labels);
  }, 0);
}

function delivered(agent: Agent): number {
  return agent.outputs.reduce((total, { stage }) => total + stage.counters.out.value, 0);
}

interface StopRequest {
  readonly asked: Promise<void>;
  forget(): void;
}

/** The first Ctrl-C stops reading and shows what is there; the second ends at once. */
function stopOnSignal(agent: Agent): StopRequest {
  let handler = () => {};
  const asked = new Promise<void>((done) => {
    let times = 0;
    handler = () => {
      times++;
      if (times === 1) done();
      else agent.abort();
    };
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, handler);
  return {
    asked,
    forget() {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, handler);
    },
  };
}
