import { execFile } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { access, readdir, readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isRoot, reachableByAnyone } from './install_cache.ts';

/** Thrown by a check for a tool; its message is the one-line reason for skipping. */
export class MissingTool extends Error {}

export interface Jdk {
  readonly home: string;
  readonly major: number;
}

/** Throws MissingTool unless this is Linux on x64 with the GNU C library. */
export function requireLinuxX64(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new MissingTool(`needs Linux on x64, this is ${process.platform} on ${process.arch}`);
  }
  if (!existsSync('/lib64/ld-linux-x86-64.so.2')) {
    throw new MissingTool('needs the GNU C library');
  }
}

/** Finds a program on PATH, or throws MissingTool. */
export async function requireProgram(name: string): Promise<string> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    if (directory === '') continue;
    const path = join(directory, name);
    if (await isExecutable(path)) return path;
  }
  throw new MissingTool(`needs ${name}, which is not on PATH`);
}

/** Finds the oldest JDK of at least this major version, or throws MissingTool.
 *  Looks at JAVA_HOME, /usr/lib/jvm and PATH. When root asks, user nobody must be able to run it. */
export async function requireJdk(atLeast: number): Promise<Jdk> {
  const found: Jdk[] = [];
  for (const home of await javaHomes()) {
    const major = await jdkMajor(home);
    if (major === undefined || major < atLeast) continue;
    if (isRoot() && !(await reachableByAnyone(home))) continue;
    found.push({ home, major });
  }
  // The oldest is the nearest to what the server was made for.
  found.sort((a, b) => a.major - b.major);
  const jdk = found[0];
  if (jdk !== undefined) return jdk;
  throw new MissingTool(
    `needs a JDK ${atLeast} or later with javac, in JAVA_HOME, /usr/lib/jvm or on PATH`,
  );
}

/** Finds Go of at least the version given as numbers, or throws MissingTool. */
export async function requireGo(atLeast: readonly [number, number, number]): Promise<string> {
  const go = await requireProgram('go');
  // GOTOOLCHAIN=local: what is installed, not what a go.mod nearby would have it download.
  const asked = await promisify(execFile)(go, ['env', 'GOVERSION'], {
    cwd: '/',
    env: { ...process.env, GOTOOLCHAIN: 'local' },
    timeout: 30_000,
  }).catch(() => undefined);
  const version = /^go(\d+)\.(\d+)(?:\.(\d+))?/.exec(asked?.stdout.trim() ?? '');
  const numbers = version === null ? [0, 0, 0] : version.slice(1).map((part) => Number(part ?? 0));
  if (isAtLeast(numbers, atLeast)) return go;
  throw new MissingTool(`needs Go ${atLeast.join('.')} or later, ${go} is ${numbers.join('.')}`);
}

function isAtLeast(version: readonly number[], wanted: readonly number[]): boolean {
  for (const [index, part] of wanted.entries()) {
    const difference = (version[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

async function javaHomes(): Promise<Set<string>> {
  const candidates: string[] = [];
  if (process.env['JAVA_HOME']) candidates.push(process.env['JAVA_HOME']);
  const jvms = await readdir('/usr/lib/jvm').catch(() => []);
  candidates.push(...jvms.sort().map((name) => join('/usr/lib/jvm', name)));
  const java = await requireProgram('java').catch(() => undefined);
  if (java !== undefined) candidates.push(dirname(dirname(await realpath(java))));
  const homes = new Set<string>();
  for (const candidate of candidates) {
    const home = await realpath(candidate).catch(() => undefined);
    if (home !== undefined) homes.add(home);
  }
  return homes;
}

async function jdkMajor(home: string): Promise<number | undefined> {
  if (!(await isExecutable(join(home, 'bin/javac')))) return undefined;
  const release = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  const major = /^JAVA_VERSION="(\d+)/m.exec(release)?.[1];
  return major === undefined ? undefined : Number(major);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
