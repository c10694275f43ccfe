import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheEntry } from './install_cache.ts';
import { runInstallCommand } from './install_command.ts';
import { requireProgram } from './machine_tools.ts';
import type { Log } from './server.ts';

/** The class that runs a server; its argument is the path of a configuration. */
export const zookeeperMain = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
const version = '3.9.3';
const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

// The server wants classes of the last two for its metrics and its snapshots.
const project = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice</groupId><artifactId>zookeeper</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.zookeeper</groupId><artifactId>zookeeper</artifactId><version>${version}</version></dependency>
    <dependency><groupId>io.dropwizard.metrics</groupId><artifactId>metrics-core</artifactId><version>4.1.12.1</version></dependency>
    <dependency><groupId>org.xerial.snappy</groupId><artifactId>snappy-java</artifactId><version>1.1.10.5</version></dependency>
  </dependencies>
</project>
`;

/** ZooKeeper's jars, from Maven: what ClickHouse's replicated tables keep their facts in. */
export const zookeeperEntry: CacheEntry = {
  name: 'zookeeper',
  version,
  recipe: [project, copyGoal],
  build,
};

async function build(directory: string, log: Log): Promise<void> {
  log('downloading with Maven');
  await writeFile(join(directory, 'pom.xml'), project);
  const command = [
    await requireProgram('mvn'),
    ...['-q', '-B', '-Dstyle.color=never', copyGoal],
    `-DoutputDirectory=${join(directory, 'lib')}`,
  ];
  const step = { what: 'downloading', cwd: directory, deadlineMs: 15 * 60_000 };
  await runInstallCommand({ ...step, command }, log);
}

export function zookeeperConfiguration(directory: string, port: number): string {
  return [
    'tickTime=2000',
    `dataDir=${directory}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'admin.enableServer=false',
    '',
  ].join('\n');
}
