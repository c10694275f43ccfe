import { seriesMax } from '../../core/telemetry/metrics.ts';
import {
  bufferBytesMax,
  deadLetterBytesMax,
  exporterSeriesMax,
  labelSetsMax,
} from './soak_agent.ts';
import type { SoakSink } from './soak_sink.ts';
import type { SoakWriter } from './soak_writer.ts';
import { type Sample, trendOf } from './trend.ts';

/** The largest of what was seen. */
export interface SoakPeaks {
  storageBytes: number;
  logFileBytes: number;
  agentSeries: number;
  exporterSeries: number;
  backlogLines: number;
  /** Seconds in which `/readyz` was red, looked at every ten. */
  notReadySeconds: number;
}

/** All that was seen of a run. */
export interface SoakSeen {
  readonly minutes: number;
  readonly linesPerSecond: number;
  /** How long lines were written. */
  readonly writtenMs: number;
  /** How long it took after that until every line was settled. */
  readonly drainMs: number;
  /** The agent's metrics at the end. */
  readonly metrics: string;
  readonly exit: number | string;
  /** Resident size in MiB. */
  readonly rss: readonly Sample[];
  readonly peaks: SoakPeaks;
  /** Numbers of the lines among the dead letters of each output. */
  readonly deadLetters: { readonly lines: readonly number[]; readonly loki: readonly number[] };
  readonly writer: SoakWriter;
  readonly lines: SoakSink;
  readonly loki: SoakSink;
}

const mebibyte = 1024 * 1024;
/** What storage may take beside buffers and dead letters: positions and acknowledgements. */
const storageSlackBytes = 64 * mebibyte;
/** Least time that says something about memory. */
const slopeMinutesMin = 20;
const slopeMax = 1;

/** What a run showed, and which promises it broke. */
export function soakVerdict(seen: SoakSeen): Record<string, unknown> {
  const { writer, lines, loki, metrics } = seen;
  const memory = memoryOf(seen);
  const delivery = {
    lines: accountOf(lines, writer.lines, seen.deadLetters.lines),
    loki: accountOf(loki, writer.lines, seen.deadLetters.loki),
  };
  const figures = {
    tail_in: totalOf(metrics, 'sluice_records_in_total', 'component="tail.0"'),
    bytes_abandoned: totalOf(metrics, 'sluice_tail_files_abandoned_bytes_total'),
    storage_mib_max: inMebibytes(seen.peaks.storageBytes),
    agent_series_max: seen.peaks.agentSeries,
    exporter_series_max: seen.peaks.exporterSeries,
    exporter_records_refused: totalOf(metrics, 'sluice_prometheus_exporter_series_refused_total'),
    label_sets: loki.labelSets.size,
    records_beyond_label_sets: totalOf(metrics, 'sluice_loki_label_sets_limited_total'),
    exit: seen.exit,
  };
  const broken = [
    ...Object.entries(delivery).flatMap(([name, account]) => brokenOf(name, account)),
    ...brokenFigures(figures, seen),
  ];
  if (seen.minutes >= slopeMinutesMin && !(memory.slope_per_hour < slopeMax)) {
    broken.push(`memory grows by ${memory.slope_per_hour} MiB an hour`);
  }
  return { broken, ...loadOf(seen), conservation: delivery, ...figures, rss_mib: memory };
}

function loadOf({ writer, peaks, ...seen }: SoakSeen): Record<string, unknown> {
  return {
    minutes: seen.minutes,
    lines: writer.lines,
    lines_per_second_wanted: seen.linesPerSecond,
    lines_per_second: Math.round(writer.lines / (seen.writtenMs / 1000)),
    bytes: writer.bytes,
    short_lived_files: writer.jobs,
    rotations: writer.rotations,
    files_deleted: writer.deleted,
    requests_struck: { lines: seen.lines.struck, loki: seen.loki.struck },
    waiting_lines_max: peaks.backlogLines,
    log_files_mib_max: inMebibytes(peaks.logFileBytes),
    not_ready_seconds: peaks.notReadySeconds,
    drain_seconds: rounded(seen.drainMs / 1000),
    cpu_seconds: rounded(totalOf(seen.metrics, 'sluice_process_cpu_seconds_total')),
  };
}

interface Memory {
  readonly slope_per_hour: number;
  readonly [name: string]: number;
}

/** The first sixth of the run warms up. */
function memoryOf({ rss, writtenMs }: SoakSeen): Memory {
  const endHours = writtenMs / 3_600_000;
  const steady = rss.filter(({ hours }) => hours >= endHours / 6 && hours <= endHours);
  const { perHour, standardError } = trendOf(steady);
  const values = steady.map(({ value }) => value);
  const tenth = Math.ceil(values.length / 10);
  return {
    slope_per_hour: rounded(perHour),
    standard_error: rounded(standardError),
    warm_up_minutes: rounded((endHours * 60) / 6),
    samples: steady.length,
    mean_of_first_tenth: rounded(meanOf(values.slice(0, tenth))),
    mean_of_last_tenth: rounded(meanOf(values.slice(-tenth))),
    max: rounded(Math.max(...rss.map(({ value }) => value))),
  };
}

interface Account {
  readonly accepted: number;
  readonly duplicates: number;
  /** Refused with 400, and found among the dead letters. */
  readonly deadLettered: number;
  readonly lost: number;
  readonly firstLost: readonly number[];
  /** Dead letters of lines that were not refused, or that are there twice. */
  readonly strangeDeadLetters: number;
}

function accountOf(sink: SoakSink, written: number, deadLetters: readonly number[]): Account {
  const { tally } = sink;
  const letters = new Set(deadLetters);
  const refused = tally.refused(written);
  const unkept = refused.filter((number) => !letters.has(number));
  const missing = tally.missing(written, written);
  const expected = new Set(refused);
  const strange = [...letters].filter((number) => !expected.has(number)).length;
  return {
    accepted: tally.accepted,
    duplicates: tally.duplicates,
    deadLettered: refused.length - unkept.length,
    lost: missing.length + unkept.length,
    firstLost: [...missing.slice(0, 5), ...unkept.slice(0, 5)],
    strangeDeadLetters: strange + deadLetters.length - letters.size,
  };
}

function brokenOf(name: string, account: Account): string[] {
  const broken: string[] = [];
  if (account.lost > 0) broken.push(`${name}: ${account.lost} lines are lost`);
  if (account.duplicates > 0) broken.push(`${name}: ${account.duplicates} lines came twice`);
  if (account.strangeDeadLetters > 0) {
    broken.push(`${name}: ${account.strangeDeadLetters} dead letters that nobody refused`);
  }
  return broken;
}

interface Figures {
  readonly tail_in: number;
  readonly bytes_abandoned: number;
  readonly storage_mib_max: number;
  readonly agent_series_max: number;
  readonly exporter_series_max: number;
  readonly label_sets: number;
  readonly exit: number | string;
}

function brokenFigures(figures: Figures, seen: SoakSeen): string[] {
  const written = seen.writer.lines;
  const hours = Math.ceil((seen.writtenMs + seen.drainMs) / 3_600_000);
  const storageMax = inMebibytes(2 * bufferBytesMax + deadLetterBytesMax + storageSlackBytes);
  const laws: readonly [boolean, string][] = [
    [figures.tail_in === written, `tail counted ${figures.tail_in} of ${written} lines`],
    [figures.bytes_abandoned === 0, `${figures.bytes_abandoned} bytes were abandoned`],
    [figures.storage_mib_max <= storageMax, `storage took ${figures.storage_mib_max} MiB`],
    [figures.agent_series_max <= seriesMax, `${figures.agent_series_max} series of the agent`],
    [
      figures.exporter_series_max <= exporterSeriesMax,
      `${figures.exporter_series_max} series of the exporter`,
    ],
    // The limit is one within an hour; records beyond it share one more set.
    [figures.label_sets <= labelSetsMax * hours + 1, `${figures.label_sets} label sets`],
    [figures.exit === 0, `the agent ended with ${figures.exit}`],
  ];
  return laws.filter(([holds]) => !holds).map(([, words]) => words);
}

/** Sum of a metric's series whose labels have a text; 0 when there are none. */
function totalOf(metrics: string, name: string, labels = ''): number {
  let total = 0;
  for (const line of metrics.split('\n')) {
    const isOne = line.startsWith(`${name}{`) || line.startsWith(`${name} `);
    if (isOne && line.includes(labels)) total += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return total;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function inMebibytes(bytes: number): number {
  return rounded(bytes / mebibyte);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
