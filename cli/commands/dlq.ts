import { existsSync } from 'node:fs';
import type { ResolvedConfig } from '../../core/config/resolved.ts';
import type { DeadLetter } from '../../core/dead_letter/dead_letter.ts';
import {
  readDeadLetters,
  summarizeDeadLetters,
} from '../../core/dead_letter/dead_letter_reader.ts';
import { messageOf, SluiceError } from '../../core/errors/sluice_error.ts';
import { isoTime } from '../iso_time.ts';
import { deadLetterDirectory } from '../../core/topology/output_assembly.ts';
import type { Command, CommandCall } from '../command.ts';
import { bytesText, countOf } from '../counts.ts';
import { deadLettersUnder, outputsIn } from '../stored_outputs.ts';
import { exitCode } from '../exit_codes.ts';
import { type LoadedPipeline, loadPipeline } from '../pipeline_config.ts';
import { replayOutput } from '../replay_output.ts';
import { storageDefault } from '../storage_default.ts';
import { TextOutput } from '../text_output.ts';
import { textOption, usageError } from '../usage_error.ts';

/** `sluice dlq list|show|replay`: the records that outputs refused. */
export const dlq: Command = {
  name: 'dlq',
  summary: 'Lists, shows and sends again the records that destinations refused.',
  usage: 'sluice dlq list|show|replay [--output NAME] [--storage PATH] [--limit N] [FILE...]',
  options: {
    output: { type: 'string', help: 'Only the letters of this output.' },
    storage: {
      type: 'string',
      help: `The storage.path of the agent; ${storageDefault} when absent.`,
    },
    limit: { type: 'string', help: 'Most letters to show or to replay.' },
    format: { type: 'string', help: 'Form of the list: text (default) or json.' },
  },
  async run(call) {
    const [action, ...files] = call.positionals;
    const limit = limitOf(textOption(call, 'limit'));
    if (limit === undefined) return usageError(call, dlq, '--limit is a whole number above 0');
    if (action !== 'list' && action !== 'show' && action !== 'replay') {
      return usageError(call, dlq, 'say list, show or replay');
    }
    if (action === 'replay' && files.length === 0) {
      return usageError(call, dlq, 'name the pipeline file that has the output');
    }
    let pipeline: LoadedPipeline | undefined;
    if (files.length > 0) {
      const loaded = await loadPipeline(files);
      if (!loaded.ok) {
        call.stderr.write(loaded.text);
        return exitCode.configuration;
      }
      pipeline = loaded.pipeline;
    }
    const directory = placeOf(call, pipeline?.config);
    const wanted = textOption(call, 'output');
    const names = wanted === undefined ? outputsIn(directory) : [wanted];
    const missing = names.find((name) => !existsSync(deadLetterDirectory(directory, name)));
    if (missing !== undefined) {
      call.stderr.write(`error: there are no dead letters of "${missing}" in ${directory}\n`);
      return exitCode.failure;
    }
    if (action === 'list') return await list(call, directory, names);
    if (action === 'show') return await show(call, directory, names, limit);
    return await replay(call, pipeline!, directory, names, limit);
  },
};

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

function placeOf(call: CommandCall, config: ResolvedConfig | undefined): string {
  const storage = textOption(call, 'storage');
  if (storage !== undefined || config === undefined) return deadLettersUnder(storage);
  return config.service.deadLetterPath;
}

async function list(
  call: CommandCall,
  directory: string,
  names: readonly string[],
): Promise<number> {
  const out = new TextOutput(call.stdout);
  const summaries = [];
  for (const name of names) {
    const summary = await summarizeDeadLetters(deadLetterDirectory(directory, name));
    summaries.push({ output: name, ...summary });
  }
  if (textOption(call, 'format') === 'json') {
    await out.write(`${JSON.stringify(summaries, null, 2)}\n`);
  } else if (summaries.every(({ count, damagedRanges }) => count + damagedRanges === 0)) {
    await out.write(`There are no dead letters in ${directory}.\n`);
  } else {
    for (const summary of summaries) await out.write(summaryText(summary));
  }
  await out.finish();
  return exitCode.ok;
}

type Summary = Awaited<ReturnType<typeof summarizeDeadLetters>> & { readonly output: string };

function summaryText(summary: Summary): string {
  const { output, count, bytes, oldestMs, newestMs, reasons, damagedRanges } = summary;
  const lines = [`${output}: ${countOf(count, 'letter')}, ${bytesText(bytes)}`];
  if (oldestMs !== undefined && newestMs !== undefined) {
    const [from, to] = [oldestMs, newestMs].map((ms) => new Date(ms).toISOString());
    lines.push(`  from ${from} to ${to}`);
  }
  for (const { code, count: times, example } of reasons) {
    const first = example.split('\n')[0]!.slice(0, 200);
    lines.push(`  ${times} x ${code}, such as: ${first}`);
  }
  if (damagedRanges > 0)
    lines.push(`  ${countOf(damagedRanges, 'damaged range')}: see "sluice dlq show"`);
  return `${lines.join('\n')}\n`;
}

async function show(
  call: CommandCall,
  directory: string,
  names: readonly string[],
  limit: number,
): Promise<number> {
  const out = new TextOutput(call.stdout);
  let shown = 0;
  let isDamaged = false;
  for (const name of names) {
    const entries = readDeadLetters(deadLetterDirectory(directory, name), { salvage: true });
    for await (const entry of entries) {
      if (entry.kind === 'damaged') {
        isDamaged = true;
        call.stderr.write(
          `warning: ${name}/${entry.file} is damaged from byte ${entry.start} to ${entry.end}; the rest follows.\n`,
        );
        continue;
      }
      if (shown++ >= limit || out.isClosed) break;
      await out.write(`${JSON.stringify(letterFacts(name, entry.letter))}\n`);
    }
  }
  await out.finish();
  return isDamaged ? exitCode.failure : exitCode.ok;
}

function letterFacts(output: string, letter: DeadLetter): Record<string, unknown> {
  const { record, origin, tag, time, reason, reasonCode, status, attempts, failedAt } = letter;
  return {
    output,
    record: parsedOr(record.toString()),
    reason,
    code: reasonCode,
    ...(status === undefined ? {} : { status }),
    attempts,
    tag,
    time: isoTime(time),
    failed_at: isoTime(failedAt),
    origin,
  };
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function replay(
  call: CommandCall,
  pipeline: LoadedPipeline,
  directory: string,
  names: readonly string[],
  limit: number,
): Promise<number> {
  let code: number = exitCode.ok;
  let left = limit;
  for (const name of names) {
    if (left <= 0) break;
    try {
      const report = await replayOutput(pipeline, { directory, name, limit: left });
      left -= report.accepted + report.refused;
      call.stdout.write(
        `${name}: ${countOf(report.accepted, 'letter')} accepted, ${report.refused} refused again\n`,
      );
      if (report.refused > 0) {
        call.stderr.write(`${name}: refused again, and kept: ${report.reason}\n`);
        code = exitCode.failure;
      }
    } catch (error) {
      call.stderr.write(`error: ${messageOf(error)}\n`);
      const isConfig = error instanceof SluiceError && error.kind === 'config';
      return isConfig ? exitCode.configuration : exitCode.failure;
    }
  }
  return code;
}
