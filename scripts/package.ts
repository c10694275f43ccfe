import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { packagedStart } from '../cli/worker_program.ts';
import { projectRoot } from './project_root.ts';
import { windowsParts } from './windows_parts.ts';

/** `npm run package`: writes `dist/package/sluice`, one executable that carries Node, the product
 *  and its libraries. Source: Node's single executable applications; the blob is put into a copy of
 *  Node by postject.
 *
 *  `-- --platform windows` writes `sluice.exe` on any system, with the Node for Windows of the very
 *  version that runs this, from npm: the blob's form belongs to a version.
 *
 *  Not inside: native add-ons (`@duckdb/node-api`, `zlib-sync`) and what only `sluice quickstart`
 *  needs. Those are looked for in `node_modules` beside the executable. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { platform: { type: 'string' } } });
  const target = targetOf(values.platform ?? process.platform);
  const root = projectRoot();
  const outdir = join(root, 'dist', target === 'win32' ? 'package-windows' : 'package');
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const parts = target === 'win32' ? windowsParts(root) : { node: process.execPath, assets: {} };
  const program = join(outdir, 'program.cjs');
  await bundleProgram(root, program, target);
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
    assets: { ...assets(root, program), ...parts.assets },
  };
  writeFileSync(config, JSON.stringify(settings));
  execFileSync(process.execPath, ['--experimental-sea-config', config], { stdio: 'inherit' });
  const executable = join(outdir, target === 'win32' ? 'sluice.exe' : 'sluice');
  copyFileSync(parts.node, executable);
  chmodSync(executable, 0o755);
  execFileSync(process.execPath, [postjectPath(), executable, 'NODE_SEA_BLOB', blob, ...fuse], {
    stdio: 'inherit',
  });
  for (const path of [program, start, config, blob]) rmSync(path);
  process.stdout.write(`${executable}\n`);
}

function targetOf(name: string): string {
  if (name === 'windows' || name === 'win32') return 'win32';
  if (name === process.platform) return name;
  throw new Error(`No executable of ${name} can be made here: leave --platform out, or "windows".`);
}

/** The mark in Node's binary that says whether a program is inside; the same in every version. */
const fuse = ['--sentinel-fuse', 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'];

function postjectPath(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('postject/package.json')), 'dist', 'cli.js');
}

async function bundleProgram(root: string, outfile: string, target: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['cli/main.ts'],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    plugins: [useLibrariesInside(root), useAddonsInside(root, target)],
    external: ['@duckdb/node-api', 'zlib-sync'],
    define: { 'import.meta.url': 'programUrl' },
    banner: {
      js: [
        "const programUrl = require('node:url').pathToFileURL(process.execPath).href;",
        "const __filename = process.execPath, __dirname = require('node:path').dirname(__filename);",
      ].join(' '),
    },
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

/** The native part of koffi, which only Windows needs, comes out of the executable; elsewhere it is
 *  left out. */
function useAddonsInside(root: string, target: string): Plugin {
  const loader = join(root, 'scripts', 'packaged_addon.ts');
  return {
    name: 'use-addons-inside',
    setup({ onResolve, onLoad }) {
      // Its other form asks for the native part in a way that cannot be seen here.
      onResolve({ filter: /^koffi$/ }, () => ({
        path: join(root, 'node_modules', 'koffi', 'index.cjs'),
      }));
      onResolve({ filter: /^@koromix\/koffi-/ }, ({ path }) =>
        path === '@koromix/koffi-win32-x64' && target === 'win32'
          ? { path: 'koffi.node', namespace: 'addon' }
          : { path, external: true },
      );
      onLoad({ filter: /.*/, namespace: 'addon' }, ({ path }) => ({
        contents: `module.exports = require(${JSON.stringify(loader)}).loadAddon(${JSON.stringify(path)});`,
        resolveDir: root,
      }));
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
