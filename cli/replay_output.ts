import type { DeadLetter } from '../core/dead_letter/dead_letter.ts';
import { readDeadLetters } from '../core/dead_letter/dead_letter_reader.ts';
import { openDeadLetterStore } from '../core/dead_letter/dead_letter_store.ts';
import { SluiceError } from '../core/errors/sluice_error.ts';
import { Health } from '../core/telemetry/health.ts';
import { silentLog } from '../core/telemetry/log.ts';
import { Metrics } from '../core/telemetry/metrics.ts';
import { systemClock } from '../core/time/clock.ts';
import { ComponentFactory } from '../core/topology/component_factory.ts';
import { deadLetterDirectory } from '../core/topology/output_assembly.ts';
import { DeadLetterReplay, type ReplayReport } from './dead_letter_replay.ts';
import type { LoadedPipeline } from './pipeline_config.ts';

const chunkRecords = 1000;
const chunkBytes = 1024 * 1024;

export interface ReplayTarget {
  /** Of all dead letters. */
  readonly directory: string;
  /** The output. */
  readonly name: string;
  /** Most letters. */
  readonly limit: number;
}

/** Sends an output's dead letters through it again and removes those it accepts. The agent must
 *  not run: it holds the letters. Errors: SLUICE_STORAGE_LOCKED, SLUICE_OPTION_INVALID,
 *  SLUICE_OUTPUT_UNREACHABLE, and what the output throws when it opens. */
export async function replayOutput(
  pipeline: LoadedPipeline,
  target: ReplayTarget,
): Promise<ReplayReport> {
  const config = pipeline.config.outputs.find(({ id }) => id === target.name);
  if (config === undefined) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `The pipeline has no output "${target.name}": its letters stay; --output names another.`,
    );
  }
  const directory = deadLetterDirectory(target.directory, target.name);
  const store = await openDeadLetterStore({
    directory,
    output: target.name,
    limitBytes: config.base.deadLetter.limitBytes,
    whenFull: 'block',
    log: silentLog,
  });
  const output = new ComponentFactory(pipeline.config, pipeline.plugins, {
    clock: systemClock,
    metrics: new Metrics(),
    health: new Health(systemClock),
    kernel: undefined,
    baseDirectory: pipeline.baseDirectory,
    logFor: () => silentLog,
  }).output(config);
  try {
    await output.open?.();
    const replay = new DeadLetterReplay({
      output,
      outputId: config.id,
      clock: systemClock,
      signal: new AbortController().signal,
      remove: (references) => store.remove(references),
    });
    for await (const letters of groups(directory, target.limit)) await replay.send(letters);
    return replay.report;
  } finally {
    await output.close?.();
    await store.close();
  }
}

/** Intact letters, in groups that make one chunk. */
async function* groups(directory: string, limit: number): AsyncGenerator<DeadLetter[]> {
  let group: DeadLetter[] = [];
  let bytes = 0;
  let left = limit;
  for await (const entry of readDeadLetters(directory, { salvage: true })) {
    if (entry.kind !== 'letter') continue;
    if (left-- <= 0) break;
    group.push(entry.letter);
    bytes += entry.letter.record.length;
    if (group.length < chunkRecords && bytes < chunkBytes) continue;
    yield group;
    group = [];
    bytes = 0;
  }
  if (group.length > 0) yield group;
}
