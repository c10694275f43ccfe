import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { verdictOf } from '../test/servers/verdict.ts';
import { installWindows, requireWine, windowsMachine } from '../test/windows/wine.ts';
import { projectRoot } from './project_root.ts';
import { writeTestGroups } from './test_groups.ts';

/** What `npm run test:windows` runs: the compiled tests of what differs on Windows, in the Node
 *  for Windows, under Wine. Parts of names of test files choose among them.
 *
 *  What a machine cannot do is skipped with one line, which is no failure; see
 *  test/windows/README.md. */
const root = projectRoot();
const deadlineMs = 8 * 60_000;
/** The newest line of Node that Debian's Wine runs. */
const wineNodeMax = 22;
const startedMs = Date.now();

/** A test that hangs ends with its process, not with the deadline of all. */
const runnerOptions = [
  '--test',
  '--test-concurrency=2',
  '--test-reporter=tap',
  '--test-timeout=240000',
  '--test-force-exit',
];

/** Beside test/windows: what handles files, times and events, by folder or beginning of the name. All of
 *  it takes Wine some three minutes: what differs on Windows, not whatever also runs there. */
const parts = [
  'windows/',
  'unit/time/',
  'unit/expression/',
  'unit/collect/',
  'unit/shared/windows_event',
  // Not evtx.test: its thousands of files take Wine minutes.
  'unit/inputs/evtx_',
  'unit/inputs/winevtlog',
  'unit/inputs/wmi',
  'unit/inputs/perfcounter',
  'unit/inputs/host_metrics_windows',
  'unit/ntlm/',
  'unit/windows_native/',
  'unit/outputs/windows_event_log',
  'unit/windows_plan',
  'unit/buffer/disk_buffer.test',
  'unit/config/accepted_forms',
  'unit/config/files',
];

async function main(): Promise<number> {
  const verdict = await verdictOf(requireWine);
  if (!verdict.ok) return skipAll(verdict.why);
  try {
    await installWindows(say);
  } catch (error) {
    return skipAll(`they cannot be installed here: ${(error as Error).message}`);
  }
  if (process.argv[2] === '--install') return 0;
  const files = chosenFiles(process.argv.slice(2));
  if (files.length === 0) {
    say('no test file has such a name');
    return 1;
  }
  const runs = sharingProcesses(files);
  const machine = await windowsMachine(say); // It takes a copy of dist/.
  if (files.some((file) => file.includes('windows/executable'))) {
    await placeExecutable(machine.directory);
  }
  try {
    say(`${files.length} files in Node for Windows ...`);
    let text = '';
    const code = await machine.node([...runnerOptions, ...runs], {
      deadlineMs,
      onOutput: (output) => (text = output),
    });
    return report(text, code);
  } finally {
    await machine.remove();
  }
}

/** Those that call Windows keep a process for each file. */
function sharingProcesses(files: readonly string[]): string[] {
  const groups = join(root, 'dist', 'test_groups', 'windows');
  const ofUnits = files.filter((file) => file.includes('/unit/'));
  if (ofUnits.length === 0) return [...files];
  const written = writeTestGroups(
    groups,
    ofUnits.map((file) => join(root, file)),
    6,
  );
  const calling = files.filter((file) => !ofUnits.includes(file));
  return [...calling, ...written.map(({ path }) => relative(root, path))];
}

/** No failure: what this machine cannot do is said. */
function skipAll(why: string): number {
  console.log(`skipped: tests under Wine: ${why}`);
  console.log('0 passed, 0 failed, 1 skipped');
  return 0;
}

/** Where the running Node is too new for Wine, so is that inside the executable: none is made. */
async function placeExecutable(directory: string): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) > wineNodeMax) return;
  say('making the executable of Windows ...');
  const program = join(root, 'dist', 'scripts', 'package.js');
  await promisify(execFile)(process.execPath, [program, '--platform', 'windows']);
  await copyFile(
    join(root, 'dist', 'package-windows', 'sluice.exe'),
    join(directory, 'sluice.exe'),
  );
}

/** Prints what failed, and the counts. */
function report(text: string, code: number): number {
  let linesLeft = 0;
  for (const line of text.split('\n')) {
    if (/^\s*not ok /.test(line)) linesLeft = 40;
    if (linesLeft-- > 0) console.log(line);
    const skip = /^\s*ok \d+ - (.*) # SKIP ?(.*)$/.exec(line);
    if (skip !== null) say(`skipped: ${skip[1]}: ${skip[2] || 'no reason given'}`);
    if (line.startsWith('measured: ') || line.startsWith('# measured: ')) say(line);
  }
  const count = (name: string): string =>
    new RegExp(`^# ${name} (\\d+)`, 'm').exec(text)?.[1] ?? '';
  if (count('tests') === '' || count('tests') === '0') {
    console.log(text.slice(-2000));
    say(`no test was executed (exit code ${code})`);
    return 1;
  }
  const failed = Number(count('fail')) + Number(count('cancelled'));
  say(`${count('pass')} passed, ${failed} failed, ${count('skipped')} skipped`);
  if (code !== 0) say(`Node for Windows ended with ${code}`);
  return code === 0 && failed === 0 ? 0 : 1;
}

function chosenFiles(words: readonly string[]): string[] {
  const tests = join(root, 'dist', 'test');
  const all = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.test.js') && parts.some((part) => name.startsWith(part)))
    .filter((name) => existsSync(join(root, 'test', name.replace(/\.js$/, '.ts'))))
    .map((name) => relative(root, join(tests, name)))
    .sort();
  if (words.length === 0) return all;
  return all.filter((name) => words.some((word) => name.includes(word)));
}

function say(text: string): void {
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(0).padStart(4);
  console.log(`[${seconds} s] ${text}`);
}

process.exitCode = await main();
