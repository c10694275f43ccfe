import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { projectRoot } from './project_root.ts';

/** The walls of the house. Core knows no plugin; plugins know the SDK, what plugins share, and
 *  their own folder; nothing of the product knows its tests. */
const root = projectRoot();
const problems: string[] = [];
for (const file of sourceFiles(root)) {
  for (const target of importsOf(file)) {
    const problem = crossing(relative(root, file).split(sep), relative(root, target).split(sep));
    if (problem !== undefined) problems.push(`${relative(root, file)}: ${problem}`);
  }
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function crossing(from: readonly string[], to: readonly string[]): string | undefined {
  const target = to.join('/');
  if (from[0] === 'core' && to[0] !== 'core') return `core imports ${target}`;
  if (['core', 'plugins', 'cli'].includes(from[0]!) && ['test', 'bench'].includes(to[0]!)) {
    return `the product imports ${target}`;
  }
  if (from[0] !== 'plugins' || from.length < 3) return undefined;
  if (to[0] === 'core') {
    return target === 'core/sdk/index.ts' ? undefined : `a plugin imports ${target}, not the SDK`;
  }
  if (to[0] !== 'plugins') return `a plugin imports ${target}`;
  if (to[1] === 'shared') return undefined;
  const isOwnFolder = to[1] === from[1] && to[2] === from[2];
  return isOwnFolder ? undefined : `a plugin imports another plugin's ${target}`;
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const targets: string[] = [];
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    targets.push(resolve(dirname(file), match[1]!));
  }
  return targets;
}

function sourceFiles(directory: string): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (['node_modules', 'dist', '.git', 'assembly'].includes(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) files.push(...sourceFiles(path));
    else if (entry.name.endsWith('.ts')) files.push(path);
  }
  return files;
}
