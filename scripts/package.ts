import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { packagedStart } from '../cli/worker_program.ts';
import { projectRoot } from './project_root.ts';

/** `npm run package`: writes `dist/package/sluice`, one executable that carries Node, the product
 *  and its libraries. Source: Node's single executable applications; the blob is put into a copy of
 *  the running Node by postject.
 *
 *  Not inside: native add-ons (`@duckdb/node-api`, `zlib-sync`) and what only `sluice quickstart`
 *  needs. Those are looked for in `node_modules` beside the executable. */
async function main(): Promise<void> {
  const root = projectRoot();
  const outdir = join(root, 'dist', 'package');
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const program = join(outdir, 'program.cjs');
  await bundleProgram(root, program);
  const start = join(outdir, 'start.cjs');
  writeFileSync(start, packagedStart);
  const config = join(outdir, 'sea.json');
  const blob = join(outdir, 'sea.blob');
  const settings = {
    main: start,
    output: blob,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    assets: assets(root, program),
  };
  writeFileSync(config, JSON.stringify(settings));
  execFileSync(process.execPath, ['--experimental-sea-config', config], { stdio: 'inherit' });
  const executable = join(outdir, process.platform === 'win32' ? 'sluice.exe' : 'sluice');
  copyFileSync(process.execPath, executable);
  chmodSync(executable, 0o755);
  execFileSync(process.execPath, [postjectPath(), executable, 'NODE_SEA_BLOB', blob, ...fuse], {
    stdio: 'inherit',
  });
  for (const path of [program, start, config, blob]) rmSync(path);
  process.stdout.write(`${executable}\n`);
}

/** The mark in Node's binary that says whether a program is inside; the same in every version. */
const fuse = ['--sentinel-fuse', 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'];

function postjectPath(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('postject/package.json')), 'dist', 'cli.js');
}

async function bundleProgram(root: string, outfile: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['cli/main.ts'],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    plugins: [useLibrariesInside(root)],
    external: ['@duckdb/node-api', 'zlib-sync'],
    define: { 'import.meta.url': 'programUrl' },
    banner: { js: "const programUrl = require('node:url').pathToFileURL(process.execPath).href;" },
    logLevel: 'warning',
  });
}

function useLibrariesInside(root: string): Plugin {
  const path = join(root, 'scripts', 'packaged_module.ts');
  return {
    name: 'use-libraries-inside',
    setup({ onResolve }) {
      onResolve({ filter: /^node:module$/ }, ({ importer }) => {
        const isOurs = !importer.includes(`${sep}node_modules${sep}`) && importer !== path;
        return isOurs ? { path } : undefined;
      });
    },
  };
}

function assets(root: string, program: string): Record<string, string> {
  const bundle = join(root, 'dist', 'bundle');
  const validators = join(bundle, 'validators');
  const paths = [
    program,
    join(root, 'package.json'),
    join(bundle, 'kernel.wasm'),
    join(bundle, 'regexes.json'),
    ...readdirSync(validators).map((name) => join(validators, name)),
  ];
  return Object.fromEntries(paths.map((path) => [basename(path), path]));
}

await main();
