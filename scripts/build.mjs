// Compiles the TypeScript tree into dist/, copies the files that code reads at run time, and makes
// of all that dist/bundle/, which is what a package has.
// Plain JavaScript because it runs before anything is compiled.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
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
  if (existsSync(join(root, 'dist', 'bundle', 'sluice.js'))) process.exit(0);
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

const { buildValidators } = await import('../dist/scripts/build_validators.js');
await buildValidators(join(root, 'dist', 'core', 'config', 'validators'));
const { bundle } = await import('../dist/scripts/bundle.js');
await bundle(root);
