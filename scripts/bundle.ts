import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';

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
  const { metafile } = await build({
    metafile: true,
    absWorkingDir: root,
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    plugins: [keepOutside(bundledLibraries)],
    banner: { js: requireForLibraries },
    chunkNames: '[name]-[hash]',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
  for (const path of dataFiles) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    cpSync(join(root, 'dist', path), join(outdir, name), { recursive: true });
  }
  writeFileSync(join(outdir, 'licenses.txt'), licenseTexts(root, Object.keys(metafile.inputs)));
  chmodSync(join(outdir, 'sluice.js'), 0o755);
}

/** CommonJS that was bundled asks for node's own modules by `require`, which ES modules lack. */
const requireForLibraries =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);";

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
