import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

/** Compiles core/kernel/assembly and returns the WebAssembly module's bytes. The same sources
 *  and compiler version give the same bytes on every machine.
 *  Errors: a plain Error with the compiler's messages (this runs at build time only). */
export async function compileKernel(root: string): Promise<Uint8Array> {
  const base = join(root, 'core/kernel/assembly');
  let compiled: Uint8Array | undefined;
  const { error, stderr } = await asc.main([...kernelFlags], {
    readFile: (name, baseDirectory) => readText(resolve(base, baseDirectory ?? '.', name)),
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm') && typeof contents !== 'string') compiled = contents;
    },
    listFiles: () => [],
    stdout: asc.createMemoryStream(),
  });
  if (error !== null || compiled === undefined) {
    throw new Error(`The kernel does not compile: ${stderr.toString()}`, { cause: error });
  }
  return compiled;
}

/** Static data begins behind address 0, so that 0 can mean "none", and stays far below
 *  `layout.programStart`. Memory comes from outside and is laid out by core/batch/layout.ts. */
const kernelFlags = [
  'index.ts',
  '--outFile',
  'kernel.wasm',
  '--runtime',
  'stub',
  '--importMemory',
  '--zeroFilledMemory',
  '--memoryBase',
  '1024',
  '--enable',
  'simd',
  '--optimizeLevel',
  '3',
  '--shrinkLevel',
  '0',
  '--converge',
  '--noAssert',
  '--use',
  'abort=',
] as const;

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // The compiler asks for a module under several names and takes the one that is there.
    return null;
  }
}

/** Writes core/kernel/kernel.wasm. */
async function main(): Promise<void> {
  const root = process.cwd();
  const bytes = await compileKernel(root);
  await writeFile(join(root, 'core/kernel/kernel.wasm'), bytes);
  process.stdout.write(`core/kernel/kernel.wasm: ${bytes.length} bytes\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
