import {
  Corpus,
  type CorpusKind,
  countSelected,
  droppedLines,
  recordLines,
} from '../corpus/corpus.ts';
import { corpusFile, warmFile } from '../corpus/corpus_files.ts';
import { statSync } from 'node:fs';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SinkPlan } from '../sink/sink_run.ts';

/** The input of a run, and what a sink has to expect of it. */
export interface ScenarioInput {
  readonly paths: readonly string[];
  readonly lines: number;
  readonly bytes: number;
  readonly plan: SinkPlan;
  /** Records that the lines are to become. */
  readonly records: number;
}

const corpora = new Map<CorpusKind, Corpus>();

export function corpusOf(kind: CorpusKind): Corpus {
  let corpus = corpora.get(kind);
  if (corpus === undefined) {
    corpus = new Corpus(kind);
    corpora.set(kind, corpus);
  }
  return corpus;
}

/** Makes a scenario's files, or finds them, with `lines` lines in all. */
export function inputOfLines(scenario: Scenario, lines: number): ScenarioInput {
  const share = Math.floor(lines / scenario.parts.length);
  const paths: string[] = [];
  let bytes = 0;
  let records = 0;
  for (const [i, kind] of scenario.parts.entries()) {
    const corpus = corpusOf(kind);
    const first = i * share;
    const path = corpusFile(corpus, share, first);
    warmFile(path);
    paths.push(path);
    bytes += statSync(path).size;
    records += recordsOf(scenario, corpus, first, share);
  }
  const dropped = scenario.dropsDebug ? droppedLines(corpusOf(scenario.parts[0]!)) : undefined;
  const plan = {
    lines: share * paths.length,
    ...(dropped === undefined ? {} : { dropped: Buffer.from(dropped).toString('base64') }),
    ...(scenario.joinsLines ? { countsLineFeeds: true } : {}),
  };
  return { paths, lines: plan.lines, bytes, plan, records };
}

/** The same with about so many bytes. */
export function inputOfBytes(scenario: Scenario, bytes: number): ScenarioInput {
  const share = bytes / scenario.parts.length;
  const lines = Math.max(...scenario.parts.map((kind) => corpusOf(kind).linesOf(share)));
  return inputOfLines(scenario, lines * scenario.parts.length);
}

function recordsOf(scenario: Scenario, corpus: Corpus, first: number, lines: number): number {
  if (scenario.dropsDebug) return lines - countSelected(droppedLines(corpus), lines);
  if (!scenario.joinsLines) return lines;
  const selected = recordLines(corpus);
  return countSelected(selected, first + lines) - countSelected(selected, first);
}
