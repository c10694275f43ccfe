import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { Log } from '../sdk/contracts.ts';
import type { Health } from '../telemetry/health.ts';
import { pathSegment } from './output_assembly.ts';

/** Says which disk buffers belong to no output any more and still hold segments. They are never
 *  deleted: somebody's records are in them. */
export async function reportOrphans(
  config: ResolvedConfig,
  health: Health,
  log: Log,
): Promise<void> {
  const base = join(config.service.storagePath, 'buffers');
  const used = new Set(
    config.outputs
      .filter((output) => output.base.storage.type === 'filesystem')
      .map((output) => pathSegment(output.id)),
  );
  const directories = await readdir(base).catch(() => []);
  for (const directory of directories) {
    if (used.has(directory)) continue;
    const files = await readdir(join(base, directory)).catch(() => []);
    if (!files.some((file) => file.endsWith('.seg'))) continue;
    const path = join(base, directory);
    const name = decodeURIComponent(directory);
    health.set(`buffer ${name}`, `records of an output that is gone wait in ${path}`);
    log.error(
      { path },
      'A disk buffer belongs to no output: bring its output back, or look with "sluice buffer show".',
    );
  }
}
