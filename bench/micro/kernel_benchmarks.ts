import { fieldOf } from '../../core/batch/field.ts';
import type { Batch } from '../../core/batch/batch.ts';
import { GrokProgram } from '../../core/kernel/grok_program.ts';
import { JsonScanner, JsonValidator } from '../../core/kernel/json_scan.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import { lowerGrok } from '../../core/kernel/lower_grok.ts';
import { splitLines } from '../../core/kernel/split_lines.ts';
import { emptyBatch, listMembers, putTexts } from '../../test/unit/kernel/batches.ts';
import { parsePattern } from '../../test/unit/kernel/grok_patterns.ts';
import type { CorpusKind } from '../corpus/corpus.ts';
import { corpusOf } from '../measure/scenario_input.ts';
import type { MicroBenchmark } from './micro_benchmark.ts';

/** The first lines of a corpus. */
export function corpusLines(kind: CorpusKind, count: number): string[] {
  return Array.from({ length: count }, (_, number) => corpusOf(kind).line(number));
}

export interface FilledBatch {
  readonly batch: Batch;
  readonly bytes: number;
  /** Where the lists of members begin. */
  readonly listsStart: number;
}

/** A batch in the kernel's memory with as many lines as fit: `application` as JSON events whose
 *  members are listed, others as texts in the field `log`. All batches share one slot: make the
 *  next one when the last is done with. */
export function filledBatch(kernel: Kernel, kind: CorpusKind): FilledBatch {
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, corpusLines(kind, 2048), '\n');
  const bytes = ends.reduce((sum, end, i) => sum + end - starts[i]! + 1, 0);
  const text = batch.column(fieldOf(['log']))!;
  const isJson = kind === 'application';
  for (let i = 0; i < batch.count; i++) {
    batch.rootStart[i] = starts[i]!;
    batch.rootEnd[i] = ends[i]!;
    batch.rootKind[i] = isJson ? 1 : 0;
    if (!isJson) batch.setSpan(text, i, starts[i]!, ends[i]!, 1);
  }
  batch.seconds.fill(1_700_000_000, 0, batch.count);
  const listsStart = batch.listsEnd;
  if (isJson) listMembers(kernel, batch, () => true);
  return { batch, bytes, listsStart };
}

/** The kernel's operations, one by one. Each is made when its turn has come. */
export function kernelBenchmarks(kernel: Kernel): (() => MicroBenchmark)[] {
  return [
    () => lineSplitting(kernel),
    () => jsonValidation(kernel),
    () => jsonScan(kernel),
    () => grok(kernel, 'COMBINEDAPACHELOG', '%{COMBINEDAPACHELOG}', 'access'),
    () => grok(kernel, 'COMMONAPACHELOG', '%{COMMONAPACHELOG}', 'access'),
    () =>
      grok(
        kernel,
        'timestamp, level, rest',
        '%{TIMESTAMP_ISO8601:time} %{LOGLEVEL:level} %{GREEDYDATA:message}',
        'java',
      ),
  ];
}

function lineSplitting(kernel: Kernel): MicroBenchmark {
  const { batch, bytes } = filledBatch(kernel, 'access');
  const lines = batch.count;
  const end = batch.dataStart + bytes;
  return {
    name: 'split lines',
    lines,
    bytes,
    run: () => {
      splitLines(kernel, batch.bytes, batch.dataStart, end, batch.rootStart, batch.rootEnd, lines);
    },
  };
}

function jsonValidation(kernel: Kernel): MicroBenchmark {
  const { batch, bytes, listsStart } = filledBatch(kernel, 'application');
  const validator = new JsonValidator(kernel);
  return {
    name: 'JSON: validate and list members',
    lines: batch.count,
    bytes,
    run: () => {
      // Each run lists the members in the same place.
      batch.listsEnd = listsStart;
      validator.validate(batch, batch.rootStart, batch.rootEnd);
    },
    close: () => validator.close(),
  };
}

function jsonScan(kernel: Kernel): MicroBenchmark {
  const { batch, bytes } = filledBatch(kernel, 'application');
  const scanner = new JsonScanner(kernel, [Buffer.from('level'), Buffer.from('msg')]);
  return {
    name: 'JSON: find two members',
    lines: batch.count,
    bytes,
    run: () => scanner.scan(batch),
    close: () => scanner.close(),
  };
}

function grok(kernel: Kernel, name: string, pattern: string, kind: CorpusKind): MicroBenchmark {
  const { batch, bytes } = filledBatch(kernel, kind);
  const lowered = lowerGrok(parsePattern(pattern).root);
  if ('reason' in lowered) throw new Error(`${pattern}: ${lowered.reason}`);
  const program = GrokProgram.load(kernel, lowered, {
    keepEmpty: false,
    // Runs again over columns that the last run has filled.
    overwrite: lowered.targets,
  });
  if (program === undefined) throw new Error(`${pattern}: no room in the kernel`);
  const text = batch.column(fieldOf(['log']))!;
  const columns = lowered.targets.map((target) => batch.column(fieldOf([target]))!);
  const run = (): number => program.run(batch, text, columns, batch.select, batch.dropped, false);
  const done = run();
  return {
    name: `grok: ${name} (${((done / batch.count) * 100).toFixed(1)} % in the kernel)`,
    lines: batch.count,
    bytes,
    run: () => void run(),
    close: () => program.close(),
  };
}
