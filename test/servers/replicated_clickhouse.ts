import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import { clickhouse, clickhouseLaunch } from './clickhouse.ts';
import { installEntry } from './install_cache.ts';
import { runInstallCommand } from './install_command.ts';
import { requireLinuxX64, requireProgram } from './machine_tools.ts';
import { freePort, type Launch, startServer } from './running_server.ts';
import type { RunningServer, StartOptions, Verdict } from './server.ts';
import { verdictOf } from './verdict.ts';
import { zookeeperConfiguration, zookeeperEntry, zookeeperMain } from './zookeeper.ts';

const readyMs = 90_000;

// Both in one process group: a signal to the server reaches its ZooKeeper as well.
const script = `java -Xmx96m -cp "$1" ${zookeeperMain} "$2" > zookeeper.log 2>&1 &
export LD_PRELOAD="$3"
shift 3
exec "$@"`;

/** ClickHouse with a ZooKeeper of its own, so that it has ReplicatedMergeTree tables of one replica. It is
 *  not among the servers that every test run installs. */
export const replicatedClickhouse = {
  canRun: (): Promise<Verdict> =>
    verdictOf(async () => {
      requireLinuxX64();
      for (const name of ['npm', 'gcc', 'mvn', 'java']) await requireProgram(name);
    }),
  start: async (options: StartOptions = {}): Promise<RunningServer> => {
    const log = options.log ?? (() => undefined);
    const engine = await clickhouse.install(log);
    const zookeeper = await installEntry(zookeeperEntry, log);
    return startServer({
      name: 'clickhouse',
      port: options.port,
      readyMs,
      prepare: (directory, port) => prepare(engine, zookeeper, directory, port),
    });
  },
};

async function prepare(
  engine: string,
  zookeeper: string,
  directory: string,
  port: number,
): Promise<Launch> {
  const keeperPort = await freePort();
  const data = join(directory, 'zookeeper');
  await mkdir(data);
  const configuration = join(directory, 'zookeeper.cfg');
  await writeFile(configuration, zookeeperConfiguration(data, keeperPort));
  const library = join(directory, 'replica_address.so');
  const source = join(projectRoot(), 'test', 'servers', 'replica_address.c');
  const command = ['gcc', '-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'];
  const step = { what: 'compiling the replica address', cwd: directory, deadlineMs: 60_000 };
  await runInstallCommand({ ...step, command }, () => undefined);
  const keeper = `<zookeeper><node><host>127.0.0.1</host><port>${keeperPort}</port></node></zookeeper>`;
  const launch = await clickhouseLaunch(engine, directory, port, keeper);
  const classPath = join(zookeeper, 'lib', '*');
  const given = ['sluice', classPath, configuration, library, ...launch.command];
  return { ...launch, command: ['/bin/sh', '-c', script, ...given] };
}
