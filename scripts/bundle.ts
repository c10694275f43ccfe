import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { entryModule, scriptOf } from './bundle_scripts.ts';

/** What is started or imported from outside; the worker and the helpers are started by their names, as a
 *  thread and as processes of their own. */
const entryPoints: Readonly<Record<string, string>> = {
  sluice: 'cli/main.ts',
  worker: 'cli/worker.ts',
  index: 'core/index.ts',
  sdk: 'core/sdk/index.ts',
  testing: 'core/testing/index.ts',
  wmi_helper: 'plugins/inputs/wmi/wmi_helper.ts',
  pdh_helper: 'plugins/inputs/perfcounter/pdh_helper.ts',
};

/** Libraries that every start needs and that are dozens of files each; licenses.txt has their licences. The others
 *  stay outside: they load when something that is configured needs them. */
const bundledLibraries = ['yaml', 'pino', 'picomatch'];

/** Files that code finds beside itself: in the bundle all code is in one folder, and so are they. */
const dataFiles = [
  'core/kernel/kernel.wasm',
  'core/config/validators',
  'plugins/shared/user_agent/regexes.json',
];

/** Writes `dist/bundle`: the product in a few files, because reading and linking hundreds of modules takes longer
 *  than all else that happens before the first record. All entries share their code, so that a third-party
 *  plugin's `sluice/sdk` is the one that the agent runs. Names and line breaks stay: stacks can be read. */
export async function bundle(root: string): Promise<void> {
  const outdir = join(root, 'dist', 'bundle');
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const { metafile, outputFiles } = await build({
    metafile: true,
    absWorkingDir: root,
    entryPoints,
    outdir,
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    plugins: [keepOutside(bundledLibraries)],
    define: { 'import.meta.url': 'moduleUrl' },
    chunkNames: '[name]-[hash]',
    logLevel: 'warning',
  });
  for (const { path, text } of outputFiles) {
    const name = basename(path, '.js');
    const output = metafile.outputs[`dist/bundle/${name}.js`]!;
    writeFileSync(join(outdir, `${name}.cjs`), scriptOf(text, output));
    if (output.entryPoint === undefined || !(name in entryPoints)) continue;
    const firstLine = name === 'sluice' ? '#!/usr/bin/env node\n' : '';
    writeFileSync(path, firstLine + entryModule(name, output));
  }
  await bundleLoader(root, outdir);
  for (const path of dataFiles) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    cpSync(join(root, 'dist', path), join(outdir, name), { recursive: true });
  }
  writeFileSync(join(outdir, 'licenses.txt'), licenseTexts(root, Object.keys(metafile.inputs)));
  chmodSync(join(outdir, 'sluice.js'), 0o755);
  // In a process of its own, which runs the agent.
  const program = join(root, 'dist', 'scripts', 'compile_bundle.js');
  const compiled = spawnSync(process.execPath, [program], { stdio: 'inherit', timeout: 120_000 });
  if (compiled.status !== 0) console.warn('The bundle was not compiled: it starts more slowly.');
}

/** The module that loads the others' scripts. */
async function bundleLoader(root: string, outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: { loader: 'cli/bundle_loader.ts' },
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
  });
}

function keepOutside(bundled: readonly string[]): Plugin {
  return {
    name: 'keep-outside',
    setup({ onResolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
        const isOurs = !importer.includes(`${sep}node_modules${sep}`);
        const isBundled = bundled.some((name) => path === name || path.startsWith(`${name}/`));
        if (kind === 'entry-point' || isBundled || !isOurs) return undefined;
        return { path, external: true };
      });
    },
  };
}

/** The licences of the libraries that files of the bundle come from. */
function licenseTexts(root: string, inputs: readonly string[]): string {
  const folders = inputs.flatMap(
    (input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [],
  );
  const texts = [...new Set(folders)].sort().map((folder) => {
    const directory = resolve(root, folder);
    const file = readdirSync(directory).find((name) => /^licen[cs]e/i.test(name));
    if (file === undefined) throw new Error(`${folder} has no licence to bundle.`);
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return `${name}\n\n${readFileSync(join(directory, file), 'utf8').trim()}\n`;
  });
  return texts.join(`\n${'-'.repeat(72)}\n\n`);
}
