import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inspectDiskBuffer, type VerifyReport } from '../../core/buffer/verify.ts';
import { bufferDirectory } from '../../core/topology/output_assembly.ts';
import type { Command, CommandCall } from '../command.ts';
import { bytesText, countOf, countText } from '../counts.ts';
import { exitCode } from '../exit_codes.ts';
import { loadPipeline } from '../pipeline_config.ts';
import { storageDefault } from '../storage_default.ts';
import { outputsIn } from '../stored_outputs.ts';
import { TextOutput } from '../text_output.ts';
import { textTable } from '../text_table.ts';
import { textOption, usageError } from '../usage_error.ts';

/** `sluice buffer show|verify`: what waits on disk. Reads only; an agent may run meanwhile. */
export const buffer: Command = {
  name: 'buffer',
  summary: 'Shows the disk buffers of outputs, or reads them in full and reports damage.',
  usage: 'sluice buffer show|verify [--storage PATH] [FILE...] [OUTPUT]',
  options: {
    storage: {
      type: 'string',
      help: `The storage.path of the agent; ${storageDefault} when absent.`,
    },
    format: { type: 'string', help: 'text (default) or json.' },
  },
  async run(call) {
    const [action, ...named] = call.positionals;
    const files = named.filter(isFile);
    const [output, more] = named.filter((name) => !files.includes(name));
    if ((action !== 'show' && action !== 'verify') || more !== undefined) {
      return usageError(call, buffer, 'say show or verify, and at most one output');
    }
    const storage = resolve(textOption(call, 'storage') ?? storageDefault);
    const places = files.length > 0 ? await placesOf(files, call) : placesUnder(storage);
    if (places === undefined) return exitCode.configuration;
    if (output !== undefined && !places.has(output)) {
      const known = [...places.keys()].join(', ') || 'none';
      call.stderr.write(`error: there is no buffer "${output}"; known: ${known}\n`);
      return exitCode.failure;
    }
    const reports: [string, VerifyReport][] = [];
    for (const [name, directory] of places) {
      const isWanted = output === undefined || name === output;
      if (isWanted) reports.push([name, await inspectDiskBuffer(directory)]);
    }
    return await print(call, action, storage, reports);
  },
};

function isFile(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isFile() === true;
}

/** By output: the directories of the buffers under a `storage.path`. */
function placesUnder(storage: string): Map<string, string> {
  const names = outputsIn(join(storage, 'buffers'));
  return new Map(names.map((name) => [name, bufferDirectory(storage, name)]));
}

/** The same for the outputs of pipeline files, which may have a `storage.path` of their own; undefined,
 *  with the errors written, when the files are wrong. */
async function placesOf(
  files: readonly string[],
  call: CommandCall,
): Promise<Map<string, string> | undefined> {
  const loaded = await loadPipeline(files);
  if (!loaded.ok) {
    call.stderr.write(loaded.text);
    return undefined;
  }
  const places = loaded.pipeline.config.outputs.map(({ id, base }): [string, string] => [
    id,
    bufferDirectory(base.storage.path, id),
  ]);
  return new Map(places.filter(([, directory]) => existsSync(directory)));
}

async function print(
  call: CommandCall,
  action: 'show' | 'verify',
  storage: string,
  reports: readonly [string, VerifyReport][],
): Promise<number> {
  const out = new TextOutput(call.stdout);
  const isDamaged = reports.some(([, report]) => report.damagedRanges > 0);
  if (textOption(call, 'format') === 'json') {
    await out.write(`${JSON.stringify(Object.fromEntries(reports), null, 2)}\n`);
  } else if (reports.length === 0) {
    await out.write(`There are no disk buffers under ${storage}.\n`);
  } else if (action === 'show') {
    await out.write(showText(reports));
  } else {
    for (const [name, report] of reports) await out.write(verifyText(name, report));
  }
  await out.finish();
  return action === 'verify' && isDamaged ? exitCode.failure : exitCode.ok;
}

function showText(reports: readonly [string, VerifyReport][]): string {
  return textTable({
    columns: ['output', 'waiting chunks', 'waiting bytes', 'files', 'bytes on disk', 'oldest'],
    rows: reports.map(([name, report]) => [
      name,
      report.pendingRecords,
      report.pendingBytes,
      report.segments.length,
      report.bytes,
      report.oldestMs === undefined ? '' : new Date(report.oldestMs).toISOString(),
    ]),
  });
}

function verifyText(name: string, report: VerifyReport): string {
  const lines = [
    `${name}: ${countOf(report.segments.length, 'file')}, ${bytesText(report.bytes)}, ${countOf(report.records, 'chunk')} intact, ${countText(report.pendingRecords)} of them waiting`,
  ];
  if (report.tornBytes > 0) {
    lines.push(
      `  ${countText(report.tornBytes)} bytes at an end are unfinished: usual while an agent writes, or after a crash`,
    );
  }
  for (const { file, start, end } of report.damaged) {
    lines.push(`  damaged: ${file} from byte ${start} to ${end}`);
  }
  const unlisted = report.damagedRanges - report.damaged.length;
  if (unlisted > 0) lines.push(`  and ${countOf(unlisted, 'damaged range')} more`);
  for (const file of report.foreign) lines.push(`  left alone: ${file} belongs to another buffer`);
  if (report.damagedRanges === 0) lines.push('  no damage');
  return `${lines.join('\n')}\n`;
}
