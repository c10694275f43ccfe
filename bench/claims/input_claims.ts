import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sluiceAgent } from '../agents/index.ts';
import { writeCorpus } from '../corpus/corpus_files.ts';
import { type AgentRun, runAgent } from '../measure/agent_run.ts';
import {
  corpusOf,
  inputOfBytes,
  inputOfLines,
  type ScenarioInput,
} from '../measure/scenario_input.ts';
import { basicScenarios } from '../scenarios/basic_scenarios.ts';
import { furtherScenarios } from '../scenarios/further_scenarios.ts';
import { bulkOutput, pipelineText } from '../scenarios/pipeline_text.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SinkProcess } from '../sink/sink_process.ts';
import type { Claim, ClaimResult } from './claim.ts';

type Figure = ClaimResult['figures'][number];

/** Peak RSS over inputs ten times larger each. */
function memoryClaim(name: string, scenario: Scenario): Claim {
  const id = `memory.${name}`;
  return {
    id,
    measure: async ({ sink, bytes = 10e9, log }) => {
      const figures: Figure[] = [];
      let first: number | undefined;
      for (let size = 100e6; size <= bytes * 1.001; size *= 10) {
        const run = await runAgent(sluiceAgent(), scenario, inputOfBytes(scenario, size), sink);
        const rssMb = run.peakRssBytes / 1e6;
        const cost = run.cpuSeconds / (size / 1e9);
        first ??= rssMb;
        log(
          `${id}: ${size / 1e6} MB of input, ${rssMb.toFixed(0)} MB, ${cost.toFixed(2)} CPU-s/GB`,
        );
        figures.push({
          what: `peak RSS, ${size / 1e6} MB of input`,
          wanted: '≤ 110 MB and flat',
          measured: `${rssMb.toFixed(0)} MB, ${cost.toFixed(2)} CPU-s/GB${run.problem === undefined ? '' : `; ${run.problem}`}`,
          met: rssMb <= 110 && rssMb <= first * 1.1 && run.problem === undefined,
        });
      }
      return { id, title: `memory over the size of the input, ${scenario.id}`, figures };
    },
  };
}

/** Cost over the number of filters: JSON, then so many that each add a field to every record. */
const filterCurve: Claim = {
  id: 'curve.filters',
  measure: async ({ sink, bytes = 100e6, log }) => {
    const figures: Figure[] = [];
    for (const count of [1, 5, 20]) {
      const scenario = filterScenario(count);
      const input = inputOfBytes(scenario, bytes);
      const cost = await steadyCost(scenario, input, sink);
      log(`curve.filters: ${count}: ${cost}`);
      figures.push({ what: `${count} filters behind the parser`, measured: cost });
    }
    return { id: 'curve.filters', title: 'cost over the number of filters', figures };
  },
};

function filterScenario(count: number): Scenario {
  return {
    id: `filters.${count}`,
    title: '',
    parts: ['application'],
    pipeline: (facts) =>
      pipelineText(facts, {
        filters: [
          "{name: parser, match: '*', key_name: log, parser: json}",
          ...Array.from(
            { length: count },
            (_, i) => `{name: modify, match: '*', add: 'f${i} v${i}'}`,
          ),
        ],
        output: bulkOutput(facts),
      }),
  };
}

/** Cost over the number of files that the same bytes lie in. */
const fileCurve: Claim = {
  id: 'curve.files',
  measure: async ({ sink, bytes = 100e6, log }) => {
    const figures: Figure[] = [];
    const s1 = basicScenarios[0]!;
    for (const files of [10, 1000, 10_000]) {
      const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-files-'));
      try {
        const input = spread(bytes, files, directory);
        const scenario = { ...s1, id: `files.${files}` };
        const cost = await steadyCost(scenario, input, sink);
        log(`curve.files: ${files}: ${cost}`);
        figures.push({ what: `${files} files`, measured: cost });
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    }
    return { id: 'curve.files', title: 'cost over the number of files', figures };
  },
};

function spread(bytes: number, files: number, directory: string): ScenarioInput {
  const corpus = corpusOf('access');
  const each = Math.floor(corpus.linesOf(bytes) / files);
  const folder = join(directory, 'logs');
  mkdirSync(folder);
  for (let i = 0; i < files; i++) {
    writeCorpus(corpus, join(folder, `${i}.log`), i * each, each, { isSynced: false });
  }
  const lines = each * files;
  return {
    paths: [join(folder, '*.log')],
    lines,
    bytes: corpus.bytesOf(lines),
    plan: { lines },
    records: lines,
  };
}

async function steadyCost(
  scenario: Scenario,
  input: ScenarioInput,
  sink: SinkProcess,
): Promise<string> {
  const tiny = await runAgent(sluiceAgent(), scenario, inputOfLines(scenario, 100), sink);
  const run: AgentRun = await runAgent(sluiceAgent(), scenario, input, sink);
  const cost = (run.cpuSeconds - tiny.cpuSeconds) / (input.bytes / 1e9);
  const rss = `${(run.peakRssBytes / 1e6).toFixed(0)} MB`;
  const problem = run.problem === undefined ? '' : `; ${run.problem}`;
  return `${cost.toFixed(2)} CPU-s/GB, ${rss}${problem}`;
}

export const inputClaims: readonly Claim[] = [
  memoryClaim('S1', basicScenarios[0]!),
  memoryClaim('S5', furtherScenarios[0]!),
  filterCurve,
  fileCurve,
];
