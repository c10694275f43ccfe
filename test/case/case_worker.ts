import { parentPort } from 'node:worker_threads';
import { pluginsNamed } from '../../cli/plugin_set.ts';
import { scriptedOutput } from '../../core/testing/index.ts';
import { serveWorker } from '../../core/workers/serve_worker.ts';

/** Worker threads of cases: the outputs that collect encode here and collect elsewhere. */
serveWorker(parentPort!, async (names, config) => {
  const own = await pluginsNamed(names, config);
  const collectors = names.flatMap(({ kind, name }) =>
    kind === 'output' && name.startsWith('collect_')
      ? scriptedOutput(name, { timeKey: '@timestamp' }).plugin
      : [],
  );
  return { ...own, plugins: [...own.plugins, ...collectors] };
});
