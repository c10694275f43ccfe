import { createRequire as createOutside } from 'node:module';

/** Stands for `node:module` in the single executable: libraries that code asks for by
 *  `createRequire` are inside. Others, such as add-ons, are looked for in `node_modules` beside the
 *  executable. */
export function createRequire(_from: string): NodeJS.Require {
  const outside = createOutside(process.execPath);
  const inside = (name: string): unknown =>
    Object.hasOwn(libraries, name) ? libraries[name]!() : outside(name);
  return Object.assign(inside, {
    resolve: outside.resolve,
    cache: outside.cache,
    extensions: outside.extensions,
    main: undefined,
  });
}

// esbuild sees each `require` and bundles its library.
declare const require: (name: string) => unknown;

const libraries: Readonly<Record<string, () => unknown>> = {
  avsc: () => require('avsc'),
  'iconv-lite': () => require('iconv-lite'),
  ajv: () => require('ajv'),
  'ajv/dist/standalone': () => require('ajv/dist/standalone'),
  'ajv/dist/runtime/equal': () => require('ajv/dist/runtime/equal'),
  'ajv/dist/runtime/ucs2length': () => require('ajv/dist/runtime/ucs2length'),
};
