import { isSea } from 'node:sea';
import type { WorkerProgram } from '../core/workers/worker_thread.ts';

/** The program of worker threads: beside this module, or inside the single executable. */
export function workerProgram(): WorkerProgram {
  if (isSea()) return { script: scriptInside };
  return { url: new URL('./worker.js', import.meta.url) };
}

/** Starts the program as the executable's own script does: it sees that it is in a thread. */
const scriptInside = `require('node:vm');
const { startProgram } = { startProgram: new Function('require', require('node:sea').getAsset('start.cjs', 'utf8')) };
startProgram(require);
`;
