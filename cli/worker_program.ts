import { isSea } from 'node:sea';
import type { WorkerProgram } from '../core/workers/worker_thread.ts';

/** The program of worker threads: beside this module, or inside the single executable. */
export function workerProgram(): WorkerProgram {
  if (isSea()) return { script: packagedStart };
  return { url: new URL('./worker.js', import.meta.url) };
}

/** Starts the program inside the single executable, whose own script may not import files; one that
 *  is compiled like this may. In a worker thread the program sees that it is in one. */
export const packagedStart = `'use strict';
const vm = require('node:vm');
const source = require('node:sea').getAsset('program.cjs', 'utf8').replace(/^#!.*/, '');
const script = new vm.Script('(function (require, module, exports) {' + source + '\\n})', {
  filename: process.execPath,
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const own = { exports: {} };
script.runInThisContext()(require('node:module').createRequire(process.execPath), own, own.exports);
`;
