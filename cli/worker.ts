import { isMainThread, parentPort } from 'node:worker_threads';
import { serveWorker } from '../core/workers/serve_worker.ts';
import { pluginsNamed } from './plugin_set.ts';

/** What worker threads of `sluice run` run. */
export function startWorker(): void {
  if (isMainThread || parentPort === null) return;
  serveWorker(parentPort, pluginsNamed);
}

startWorker();
