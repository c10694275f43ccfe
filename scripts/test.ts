import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type AuditReport, auditDependencies } from './dependency_audit.ts';
import { projectRoot } from './project_root.ts';
import { writeTestGroups } from './test_groups.ts';

/** What `npm test` runs, in order: style, walls, generated files, then the tests. Beside all that the
 *  dependencies are audited and real servers are installed (once, into a cache outside the tree), and the
 *  tests that need them run as soon as they are there.
 *
 *  Options: names of test files or parts of them, to run only those; `--no-live`, which leaves out
 *  the real servers and Wine. */
const root = projectRoot();
const dist = join(root, 'dist');
const startedMs = Date.now();
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const withLive = !process.argv.includes('--no-live');
const totals = { passed: 0, failed: 0, skipped: 0 };
const skips: string[] = [];

/** Live tests that ask for the same servers: one process starts each of those once. */
const sharingServers = ['live/end_to_end.', 'live/pipelines.', 'live/destinations.'];

/** Folders of `test` that another step runs; all others are rigs. */
const otherFolders = ['unit', 'live', 'servers', 'windows', 'crash'];

async function main(): Promise<number> {
  if (words.length > 0) return await runTests('chosen tests', chosenFiles(), 2);
  const auditing = auditDependencies(root);
  const live = withLive ? runLive() : Promise.resolve(0);
  const wine = withLive ? runWine() : Promise.resolve(0);
  // They wait for starts and deliveries: from the beginning on, beside all others.
  const crash = runTests('crash tests', testFiles('crash'), 1);
  let ok = true;
  const steps: [string, () => Promise<boolean>][] = [
    [
      'style',
      () => command([join('node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '.']),
    ],
    ['walls', () => command([join('dist', 'scripts', 'check_boundaries.js')])],
    ['generated files', () => command([join('dist', 'scripts', 'generate.js'), '--check'])],
  ];
  for (const [name, step] of steps) {
    say(`${name} ...`);
    if (await step()) continue;
    say(`${name}: FAILED`);
    totals.failed++;
    ok = false;
  }
  ok = (await runTests('unit tests', grouped('unit', testFiles('unit'), 12), 2)) === 0 && ok;
  const statuses = await Promise.all([runRigs(), live, wine, crash]);
  ok = statuses.every((status) => status === 0) && ok;
  ok = (await sayAudit(auditing)) && ok;
  for (const skip of skips) say(`skipped: ${skip}`);
  say(ok ? 'all is well' : 'something failed: see above');
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return ok ? 0 : 1;
}

/** A weakness that became known since a release fails `npm run audit`, not the tests of that release. */
async function sayAudit(auditing: Promise<AuditReport>): Promise<boolean> {
  const { lines, isLockSound } = await auditing;
  for (const line of lines) say(`dependencies: ${line}`);
  if (!isLockSound) totals.failed++;
  return isLockSound;
}

/** Tests that mostly wait, beside those below. */
async function runRigs(): Promise<number> {
  const folders = testFolders().filter((name) => !otherFolders.includes(name));
  return await runTests('engine tests and rigs', folders.flatMap(testFiles), 3);
}

/** Tests against real servers, which they wait for most of the time, as soon as those are there: Loki
 *  takes minutes to build. */
async function runLive(): Promise<number> {
  const isInstalled = await installServers();
  const files = [...testFiles('servers'), ...testFiles('live')];
  const sharing = files.filter((file) => sharingServers.some((name) => file.includes(name)));
  const alone = files.filter((file) => !sharing.includes(file));
  const all = [...alone, ...grouped('live', sharing, sharing.length)];
  return Math.max(isInstalled ? 0 : 1, await runTests('live tests', all, 1));
}

/** Tests in the Node for Windows. */
async function runWine(): Promise<number> {
  await runWindows(['--install']);
  return await runWindows([]);
}

/** Runs test files with node's runner and adds up what it counted. */
async function runTests(title: string, files: readonly string[], atOnce: number): Promise<number> {
  if (files.length === 0) {
    say(`${title}: there are none`);
    return words.length > 0 ? 1 : 0;
  }
  say(`${title}: ${files.length} files ...`);
  const counts = { tests: 0, pass: 0, fail: 0, skipped: 0, todo: 0, cancelled: 0 };
  const args = [
    '--test',
    `--test-concurrency=${atOnce}`,
    '--test-reporter=tap',
    '--test-timeout=300000',
    ...files,
  ];
  let done = 0;
  let saidMs = Date.now();
  const status = await run(args, (line) => {
    readTapLine(line, counts);
    if (/^\s*(not )?ok \d/.test(line)) done++;
    if (Date.now() - saidMs < progressMs) return;
    saidMs = Date.now();
    say(`${title}: ${done} tests so far`);
  });
  totals.passed += counts.pass;
  totals.failed += counts.fail + counts.cancelled;
  totals.skipped += counts.skipped;
  say(`${title}: ${counts.pass} passed, ${counts.fail} failed, ${counts.skipped} skipped`);
  if (counts.tests === 0) {
    say(`${title}: no test was executed`);
    return 1;
  }
  if (process.env['CI'] === 'true' && counts.skipped > 0 && title === 'live tests') {
    say('CI may skip nothing that this machine can run; the reasons are listed below');
  }
  return status;
}

/** The tests that run in the Node for Windows, by their own script; what it skips is said here, too. */
async function runWindows(args: readonly string[]): Promise<number> {
  const isInstalling = args.length > 0;
  if (!isInstalling) say('tests under Wine ...');
  return await run([join(dist, 'scripts', 'test_windows.js'), ...args], (line) => {
    const text = line.replace(/^\[ *\d+ s\] /, '');
    const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(text);
    if (counts !== null) {
      totals.passed += Number(counts[1]);
      totals.failed += Number(counts[2]);
      totals.skipped += Number(counts[3]);
    }
    if (text.startsWith('skipped: ')) {
      if (!isInstalling) skips.push(text.slice('skipped: '.length));
    } else say(`windows: ${text}`);
  });
}

/** How long a run may be silent. */
const progressMs = 20_000;

/** Files of tests by the file that imports them. */
const groups = new Map<string, readonly string[]>();

let failureLinesLeft = 0;

function readTapLine(line: string, counts: Record<string, number>): void {
  const count = /^# (tests|pass|fail|skipped|todo|cancelled) (\d+)$/.exec(line);
  if (count !== null) counts[count[1]!] = (counts[count[1]!] ?? 0) + Number(count[2]);
  const skip = /^\s*ok \d+ - (.*) # SKIP ?(.*)$/.exec(line);
  if (skip !== null) skips.push(`${skip[1]}: ${skip[2] || 'no reason given'}`);
  if (/^\s*not ok /.test(line)) failureLinesLeft = 40;
  if (failureLinesLeft > 0) {
    failureLinesLeft--;
    console.log(line);
  }
  const path = /^# Subtest: (\/.*\.test\.js)$/.exec(line)?.[1];
  if (path === undefined) return;
  const files = groups.get(path) ?? [path];
  for (const file of files) say(`  ${relative(dist, file)}`);
}

/** Files of tests to run, each with those that share its process. */
function grouped(name: string, files: readonly string[], sizeMax: number): string[] {
  const written = writeTestGroups(join(dist, 'test_groups', name), files, sizeMax);
  for (const group of written) groups.set(group.path, group.files);
  return written.map(({ path }) => path);
}

function testFiles(part: string): string[] {
  const directory = join(dist, 'test', part);
  // Compiled files whose source is gone would still run: only those with a source count.
  return filesBelow(directory).filter((file) => {
    const source = join(root, relative(dist, file)).replace(/\.js$/, '.ts');
    return file.endsWith('.test.js') && existsSync(source);
  });
}

function testFolders(): string[] {
  return readdirSync(join(dist, 'test'));
}

function chosenFiles(): string[] {
  // Those under Wine have a script of their own.
  const all = testFolders()
    .filter((name) => name !== 'windows')
    .flatMap(testFiles);
  return all.filter((file) => words.some((word) => relative(dist, file).includes(word)));
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

async function installServers(): Promise<boolean> {
  const status = await run([join(dist, 'test', 'servers', 'main.js'), 'install'], (line) =>
    say(`servers: ${line}`),
  );
  return status === 0;
}

async function command(args: readonly string[]): Promise<boolean> {
  return (await run(args, (line) => console.log(line))) === 0;
}

function run(args: readonly string[], onLine: (line: string) => void): Promise<number> {
  return new Promise((resolve) => {
    const child: ChildProcess = spawn(process.execPath, [...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop()!;
        for (const line of lines) onLine(line);
      });
      stream.on('end', () => rest !== '' && onLine(rest));
    }
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function say(text: string): void {
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(0).padStart(4);
  console.log(`[${seconds} s] ${text}`);
}

process.exitCode = await main();
