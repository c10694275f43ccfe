import { setTimeout as wait } from 'node:timers/promises';
import { corpusOf } from '../measure/scenario_input.ts';
import { quantile } from '../measure/statistics.ts';
import { accessFilters, bulkOutput, pipelineText } from '../scenarios/pipeline_text.ts';
import type { PipelineFacts } from '../scenarios/scenario.ts';
import type { SinkProcess } from '../sink/sink_process.ts';
import type { Claim, ClaimResult } from './claim.ts';
import { type Appended, LineFeeder } from './line_feeder.ts';
import { coreShare, untilAllArrived, withLiveAgent } from './live_run.ts';

const flushMs = 1000;
/** Time in which an agent starts and its first lines are compiled; not measured. */
const warmSeconds = 5;
/** Longer than an agent takes to look at its files. */
const startMs = 4000;

const accessPipeline = (facts: PipelineFacts): string =>
  pipelineText(facts, {
    service: [`flush: ${flushMs}ms`],
    filters: accessFilters,
    output: bulkOutput(facts),
  });

/** S10 and the delay of a record: 10,000 lines a second into one file. */
const steadyLines: Claim = {
  id: 'S10',
  measure: ({ sink, seconds = 30 }) =>
    grow('S10', `steady 10,000 lines/s, S1, ${seconds} s`, sink, {
      files: 1,
      seconds,
      shareMax: 0.03,
      rssMbMax: 90,
    }),
};

/** S9: many files that grow a little. */
const manyFiles: Claim = {
  id: 'S9.growing',
  measure: ({ sink, seconds = 30 }) =>
    grow('S9.growing', `1,000 files growing at 10 lines/s each, ${seconds} s`, sink, {
      files: 1000,
      seconds,
      shareMax: 0.06,
    }),
};

interface Growth {
  readonly files: number;
  readonly seconds: number;
  readonly shareMax: number;
  readonly rssMbMax?: number;
}

const growthRate = 10_000;

async function grow(
  id: string,
  title: string,
  sink: SinkProcess,
  growth: Growth,
): Promise<ClaimResult> {
  const { files, seconds, shareMax, rssMbMax } = growth;
  const lines = growthRate * (warmSeconds + seconds);
  await sink.plan({ lines, notesArrivals: true });
  const setup = { sink, files, pipeline: accessPipeline };
  return withLiveAgent(setup, async ({ agent, paths }) => {
    await wait(startMs);
    const feeding = new LineFeeder(corpusOf('access'), paths).feed(
      growthRate,
      warmSeconds + seconds,
    );
    await wait(warmSeconds * 1000);
    const shareSince = coreShare(agent);
    const appended = await feeding;
    const share = shareSince();
    await untilAllArrived(sink, 20);
    const delays = await delaysOf(appended, warmSeconds * growthRate, sink);
    const report = await sink.report();
    const rssMb = agent.usage().peakRssBytes / 1e6;
    const p99 = quantile(delays, 0.99);
    return {
      id,
      title,
      figures: [
        limited('share of one core', share * 100, shareMax * 100, '%'),
        rssMbMax === undefined
          ? { what: 'peak RSS', measured: `${rssMb.toFixed(0)} MB` }
          : limited('peak RSS', rssMb, rssMbMax, 'MB'),
        { what: 'median append → delivered', measured: `${quantile(delays, 0.5).toFixed(0)} ms` },
        limited(`p99 append → delivered, flush ${flushMs} ms`, p99, 1.2 * flushMs, 'ms'),
        exactness(report),
      ],
    };
  });
}

async function delaysOf(appended: Appended, from: number, sink: SinkProcess): Promise<number[]> {
  const arrivals = await sink.arrivals();
  const delays: number[] = [];
  for (let number = from; number < appended.lines; number++) {
    if (arrivals[number]! > 0) delays.push(arrivals[number]! - appended.timesMs[number]!);
  }
  return delays;
}

/** S9: files that do not grow. */
const idleFiles: Claim = {
  id: 'S9.idle',
  measure: async ({ sink, seconds = 30 }) => {
    await sink.plan({ lines: 1 });
    const setup = {
      sink,
      files: 10,
      content: 'a line that was there before\n',
      pipeline: accessPipeline,
    };
    return withLiveAgent(setup, async ({ agent }) => {
      await wait(warmSeconds * 1000);
      const shareSince = coreShare(agent);
      await wait(seconds * 1000);
      const share = shareSince();
      const { rssBytes } = agent.usage();
      return {
        id: 'S9.idle',
        title: `10 idle files, ${seconds} s`,
        figures: [
          limited('share of one core', share * 100, 0.3, '%'),
          limited('RSS', rssBytes / 1e6, 70, 'MB'),
        ],
      };
    });
  },
};

/** Five times more comes than the destination takes. */
const burst: Claim = {
  id: 'burst',
  measure: async ({ sink, seconds = 60, log }) => {
    const rate = 50_000;
    await sink.plan({ lines: rate * seconds, recordsPerSecond: 10_000 });
    const setup = { sink, files: 1, pipeline: accessPipeline };
    return withLiveAgent(setup, async ({ agent, paths }) => {
      await wait(startMs);
      const rss: number[] = [];
      const sampling = setInterval(() => rss.push(agent.usage().rssBytes / 1e6), 500);
      try {
        await new LineFeeder(corpusOf('access'), paths).feed(rate, seconds);
        log(`burst: ${rate * seconds} lines are written; the rest takes ${seconds * 4} s`);
        await untilAllArrived(sink, seconds * 4 + 60);
      } finally {
        clearInterval(sampling);
      }
      const early = quantile(rss.slice(10, Math.floor(rss.length / 3)), 0.5);
      const most = Math.max(...rss.slice(10));
      return {
        id: 'burst',
        title: `50,000 lines/s for ${seconds} s into 10,000 records/s`,
        figures: [
          exactness(await sink.report()),
          limited('largest RSS beside the first third’s median', most / early, 1.15, '×'),
          { what: 'largest RSS', measured: `${most.toFixed(0)} MB` },
        ],
      };
    });
  },
};

export const liveClaims: readonly Claim[] = [manyFiles, idleFiles, steadyLines, burst];

function exactness(report: { lost: number; duplicates: number; arrived: number }) {
  return {
    what: 'lost, twice',
    wanted: '0, 0',
    measured: `${report.lost}, ${report.duplicates} of ${report.arrived}`,
    met: report.lost === 0 && report.duplicates === 0,
  };
}

export function limited(what: string, measured: number, limit: number, unit: string) {
  const digits = limit < 10 ? 2 : 0;
  return {
    what,
    wanted: `≤ ${Number(limit.toPrecision(4))} ${unit}`,
    measured: `${measured.toFixed(digits)} ${unit}`,
    met: measured <= limit,
  };
}
