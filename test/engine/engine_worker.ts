import { parentPort } from 'node:worker_threads';
import { pluginsNamed } from '../../cli/plugin_set.ts';
import { scriptedOutput } from '../../core/testing/index.ts';
import { serveWorker } from '../../core/workers/serve_worker.ts';

/** Worker threads of engine tests: scripted outputs encode here and answer elsewhere. */
serveWorker(parentPort!, async (names, config) => {
  const own = await pluginsNamed(names, config);
  const scripted = names.flatMap(({ kind, name }) =>
    kind === 'output' && name.startsWith('scripted') ? scriptedOutput(name).plugin : [],
  );
  return { ...own, plugins: [...own.plugins, ...scripted] };
});
