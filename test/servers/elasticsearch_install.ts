import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pluginDescriptor, pluginName, pluginSource } from './elasticsearch_plugin.ts';
import type { CacheEntry } from './install_cache.ts';
import { runInstallCommand } from './install_command.ts';
import { requireJdk, requireProgram } from './machine_tools.ts';
import type { Log } from './server.ts';

const artifact = 'org.elasticsearch.distribution.integ-test-zip:elasticsearch';
const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
// Raised when the steps below change without a change of the texts above.
const stepsRevision = '1';

/** The password of user `elastic` where security is on. */
export const elasticPassword = 'sluice-test-password';
/** File in the installed directory: a keystore that holds that password. */
export const preparedKeystore = 'secured.keystore';

export interface ElasticsearchRelease {
  readonly name: string;
  readonly major: 8 | 9;
  readonly version: string;
  readonly jdkAtLeast: number;
}

/** The cache entry of a release: Elastic's own server from Maven, plus the test plugin. */
export function elasticsearchEntry(release: ElasticsearchRelease): CacheEntry {
  const { version, major } = release;
  return {
    name: release.name,
    version,
    recipe: [
      artifact,
      stepsRevision,
      elasticPassword,
      pluginSource(major),
      pluginDescriptor(version),
    ],
    build: (directory, log) => build(release, directory, log),
  };
}

async function build(release: ElasticsearchRelease, directory: string, log: Log): Promise<void> {
  const jdk = await requireJdk(release.jdkAtLeast);
  const work = join(directory, 'work');
  await mkdir(work);
  const zip = await download(release.version, work, log);
  const step = { cwd: work, deadlineMs: 300_000 };
  const unpack = [join(jdk.home, 'bin/jar'), '-xf', zip];
  await runInstallCommand({ ...step, what: 'unpacking', command: unpack }, log);
  const unpacked = join(work, `elasticsearch-${release.version}`);
  for (const name of await readdir(unpacked)) {
    await rename(join(unpacked, name), join(directory, name));
  }
  // The JDK's jar does not keep the mode of what it unpacks.
  const bin = join(directory, 'bin');
  for (const name of await readdir(bin)) await chmod(join(bin, name), 0o755);
  await compilePlugin(release, directory, work, jdk.home, log);
  await prepareKeystore(directory, jdk.home, log);
  await rm(work, { recursive: true });
  const open = ['chmod', '-R', 'a+rX,go-w', directory];
  await runInstallCommand({ cwd: '/', deadlineMs: 60_000, what: 'opening', command: open }, log);
}

async function download(version: string, work: string, log: Log): Promise<string> {
  log('downloading with Maven');
  await runInstallCommand(
    {
      what: 'downloading',
      command: [
        await requireProgram('mvn'),
        '-q',
        '-B',
        '-Dstyle.color=never',
        copyGoal,
        `-Dartifact=${artifact}:${version}:zip`,
        `-DoutputDirectory=${work}`,
      ],
      cwd: work,
      deadlineMs: 15 * 60_000,
    },
    log,
  );
  return join(work, `elasticsearch-${version}.zip`);
}

async function compilePlugin(
  release: ElasticsearchRelease,
  directory: string,
  work: string,
  jdkHome: string,
  log: Log,
): Promise<void> {
  log('compiling the test plugin');
  const classes = join(work, 'classes');
  const source = join(work, 'TestServerPlugin.java');
  const plugin = join(directory, 'plugins', pluginName);
  await mkdir(classes);
  await mkdir(plugin, { recursive: true });
  await writeFile(source, pluginSource(release.major));
  await writeFile(join(plugin, 'plugin-descriptor.properties'), pluginDescriptor(release.version));
  const step = { what: 'compiling the test plugin', cwd: work, deadlineMs: 120_000 };
  const classPath = `${directory}/lib/*`;
  // For the oldest JDK that may start the server later, which need not be this one.
  const options = ['--release', String(release.jdkAtLeast), '-nowarn', '-d', classes];
  const javac = [join(jdkHome, 'bin/javac'), ...options, '-cp', classPath, source];
  await runInstallCommand({ ...step, command: javac }, log);
  const jar = join(plugin, `${pluginName}.jar`);
  const pack = [join(jdkHome, 'bin/jar'), '--create', '--file', jar, '-C', classes, '.'];
  await runInstallCommand({ ...step, command: pack }, log);
}

/** Makes the keystore once: its tool takes seconds each time, a copy of the file takes none. */
async function prepareKeystore(directory: string, jdkHome: string, log: Log): Promise<void> {
  log('preparing the keystore');
  const tool = join(directory, 'bin/elasticsearch-keystore');
  const env = { ...process.env, ES_JAVA_HOME: jdkHome, ES_PATH_CONF: join(directory, 'config') };
  const step = { what: 'preparing the keystore', cwd: directory, env, deadlineMs: 120_000 };
  await runInstallCommand({ ...step, command: [tool, 'create', '-s'] }, log);
  const add = `printf %s "$1" | "$2" add -x bootstrap.password`;
  const command = ['/bin/sh', '-c', add, 'sh', elasticPassword, tool];
  await runInstallCommand({ ...step, command }, log);
  await rename(join(directory, 'config/elasticsearch.keystore'), join(directory, preparedKeystore));
}
