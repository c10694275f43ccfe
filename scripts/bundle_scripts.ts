import type { Metafile } from 'esbuild';

type Output = Metafile['outputs'][string];

/** Makes the text of a script that `cli/bundle_loader.ts` runs out of a module that esbuild wrote: what
 *  it imports becomes constants, what it exports the object that it returns. No export may change its
 *  value later. Lines stay lines. Throws where the text holds other imports than esbuild says. */
export function scriptOf(module: string, output: Output): string {
  const found: string[] = [];
  const exported: string[] = [];
  const text = module
    .replace(/^#!.*/, '')
    .replace(importStatement, (statement, clause: string | undefined, path: string) => {
      found.push(path);
      return spread(statement, importOf(clause, path));
    })
    .replace(/^export \{([^}]*)\};$/gm, (statement, list: string) => {
      const names = list.split(',').map((one) => one.trim().split(' as '));
      exported.push(...names.map(([local, name]) => name ?? local!));
      const members = names.map(([local, name]) =>
        name === undefined ? local : `${name}: ${local}`,
      );
      return spread(statement, `return { ${members.join(', ')} };`);
    })
    .replace(/\bimport\("\.\/([\w.-]+)\.js"\)/g, (_call, name: string) => `loadLater("${name}")`)
    .replace(/(?<![.\w$'"`])import\(/g, 'importOutside(')
    .replace(/^\/\/# sourceMappingURL=.*$/m, '');
  const expected = output.imports.filter(({ kind }) => kind === 'import-statement').length;
  const names = (list: readonly string[]): string => [...list].sort().join(', ');
  if (found.length !== expected || names(exported) !== names(output.exports)) {
    throw new Error(
      `esbuild counts other imports or exports than ${names(found)} and ${names(exported)}.`,
    );
  }
  return text;
}

const importStatement = /^import (?:([^"';]*?) from )?"([^"]+)";$/gm;

/** The declaration that stands for an import statement. */
function importOf(clause: string | undefined, path: string): string {
  const own = /^\.\/([\w.-]+)\.js$/.exec(path)?.[1];
  const value = own === undefined ? `require("${path}")` : `load("${own}")`;
  if (clause === undefined) return `${value};`;
  const { whole, named } = /^(?<whole>[\w$]+|\* as [\w$]+)?(?:, )?(?:\{(?<named>[^}]*)\})?$/.exec(
    clause.trim(),
  )!.groups as { whole?: string; named?: string };
  const declared: string[] = [];
  // Node's own modules and CommonJS: what they export is their default, too.
  if (whole !== undefined) declared.push(`${whole.replace('* as ', '')} = ${value}`);
  if (named !== undefined) declared.push(`{${named.replaceAll(' as ', ': ')}} = ${value}`);
  return `const ${declared.join(', ')};`;
}

/** As many lines as before. */
function spread(before: string, after: string): string {
  const lines = (text: string): number => text.split('\n').length;
  return after + '\n'.repeat(Math.max(0, lines(before) - lines(after)));
}

/** The module by which others start or import an entry. */
export function entryModule(name: string, output: Output): string {
  const lines = [`import { load } from './loader.js';`];
  if (output.exports.length === 0) lines.push(`load('${name}');`);
  else {
    const list = output.exports.join(', ');
    lines.push(`const { ${list} } = load('${name}');`, `export { ${list} };`);
  }
  return `${lines.join('\n')}\n`;
}
