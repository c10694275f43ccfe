import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { CompiledForms, type CompiledForm } from './compiled_forms.ts';

/** What a script of the bundle exports. */
export type Exports = Readonly<Record<string, unknown>>;

type Body = (
  load: (name: string) => Exports,
  loadLater: (name: string) => Promise<Exports>,
  importOutside: (specifier: string) => Promise<unknown>,
  require: NodeJS.Require,
  moduleUrl: string,
) => Exports;

/** The scripts of `dist/bundle`, each loaded once in a thread. They are scripts because Node 20 takes
 *  V8's compiled form of those alone: it stands in `compiled.v8`, which belongs to one version of Node
 *  and is passed over by any other. See scripts/bundle.ts, which writes both. */
const folder = new URL('./', import.meta.url);
const require = createRequire(import.meta.url);
const compiled = new CompiledForms(fileURLToPath(new URL('./compiled.v8', folder)));
const scripts = new Map<string, Script>();
const loaded = new Map<string, Exports>();

/** What a script exports; runs it the first time. */
export function load(name: string): Exports {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const moduleUrl = new URL(`./${name}.cjs`, folder).href;
  const filename = fileURLToPath(moduleUrl);
  const source = readFileSync(filename);
  const script = new Script(`${head}${source.toString()}${tail}`, {
    filename,
    cachedData: compiled.of(name, source),
  });
  scripts.set(name, script);
  // As the build writes them.
  const body = script.runInThisContext() as Body;
  const exported = body(load, loadLater, importOutside, require, moduleUrl);
  loaded.set(name, exported);
  return exported;
}

async function loadLater(name: string): Promise<Exports> {
  return load(name);
}

/** Libraries that are not in the bundle, and plugins. A script that imports modules itself makes Node
 *  warn of it. */
function importOutside(specifier: string): Promise<unknown> {
  return import(specifier);
}

const head = "(function (load, loadLater, importOutside, require, moduleUrl) { 'use strict'; ";
const tail = '\n})';

/** V8's form of all that was loaded in this thread, functions that ran included: for the build. */
export function compiledForms(): CompiledForm[] {
  return [...scripts].map(([name, script]) => ({
    name,
    source: readFileSync(new URL(`./${name}.cjs`, folder)),
    code: script.createCachedData(),
  }));
}
