import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registrySource } from './generate_registry.ts';
import { projectRoot } from './project_root.ts';

/** A generated file: its path below the project's root and what it must hold. */
interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

const root = projectRoot();
const isCheck = process.argv.includes('--check');
let stale = 0;
for (const { path, content } of await generatedFiles()) {
  const full = join(root, path);
  if (current(full) === content) continue;
  stale++;
  if (isCheck) console.error(`${path} is not what "npm run generate" makes.`);
  else {
    writeFileSync(full, content);
    console.log(`wrote ${path}`);
  }
}
if (isCheck && stale > 0) process.exitCode = 1;

async function generatedFiles(): Promise<GeneratedFile[]> {
  const files = [{ path: 'plugins/registry.generated.ts', content: registrySource(root) }];
  return files;
}

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
