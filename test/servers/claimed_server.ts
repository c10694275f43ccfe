import { type ServerName, servers } from './index.ts';
import type { RunningServer } from './server.ts';

/** A server that all test files of a process use together: Elasticsearch takes 20 CPU-seconds to start. Each file
 *  claims it when it is loaded; it is started when first asked for, and stopped when the last has released it. */
export interface ClaimedServer {
  started(): Promise<RunningServer>;
  release(): Promise<void>;
}

interface Shared {
  claims: number;
  server?: Promise<RunningServer>;
}

const shared = new Map<ServerName, Shared>();

export function claimServer(name: ServerName): ClaimedServer {
  const one = shared.get(name) ?? { claims: 0 };
  shared.set(name, one);
  one.claims++;
  return {
    async started() {
      one.server ??= servers[name].start();
      return await one.server;
    },
    async release() {
      if (--one.claims > 0 || one.server === undefined) return;
      const server = await one.server;
      delete one.server;
      await server.stop();
    },
  };
}
