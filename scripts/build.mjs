// Compiles the TypeScript tree into dist/ and copies the files that code reads at run time.
// Plain JavaScript because it runs before anything is compiled.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

function compilerPath() {
  try {
    return join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  } catch {
    return undefined;
  }
}

const compiler = compilerPath();
if (compiler === undefined) {
  // A package installed without its development dependencies brings dist/ with it.
  if (existsSync(join(root, 'dist', 'cli', 'main.js'))) process.exit(0);
  console.error('TypeScript is not installed: run "npm ci" first.');
  process.exit(1);
}
const compiled = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.json')], {
  stdio: 'inherit',
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

// Data that compiled code finds beside itself.
for (const path of ['core/kernel/kernel.wasm', 'plugins/shared/user_agent/regexes.json']) {
  const source = join(root, path);
  if (!existsSync(source)) continue;
  mkdirSync(dirname(join(root, 'dist', path)), { recursive: true });
  cpSync(source, join(root, 'dist', path));
}

const cli = join(root, 'dist', 'cli', 'main.js');
if (existsSync(cli)) chmodSync(cli, 0o755);
