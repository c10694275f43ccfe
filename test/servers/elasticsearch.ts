import { chmod, copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ElasticsearchRelease,
  elasticPassword,
  elasticsearchEntry,
  preparedKeystore,
} from './elasticsearch_install.ts';
import {
  entryDirectory,
  installEntry,
  isInstalled,
  isRoot,
  reachableByAnyone,
} from './install_cache.ts';
import { runInstallCommand } from './install_command.ts';
import {
  type Jdk,
  MissingTool,
  requireJdk,
  requireLinuxX64,
  requireProgram,
} from './machine_tools.ts';
import { type Launch, startServer } from './running_server.ts';
import type { ServerDescriptor, StartOptions } from './server.ts';
import { verdictOf } from './verdict.ts';

const readyMs = 180_000;

export interface ElasticsearchOptions extends StartOptions {
  /** Asks for a password: user `elastic`, given in `username` and `password`. */
  readonly security?: boolean;
  /** Serves https with a new certificate for localhost and 127.0.0.1; turns security on. */
  readonly tls?: boolean;
  /** More lines of elasticsearch.yml. */
  readonly extraSettings?: string;
  /** Heap size as the JVM takes it; 512m by default. */
  readonly heap?: string;
}

/** Elasticsearch 8, which the oldest JDK still in wide use runs. */
export const elasticsearch8 = describe({
  name: 'elasticsearch8',
  major: 8,
  version: '8.19.21',
  jdkAtLeast: 17,
});

/** Elasticsearch 9. */
export const elasticsearch9 = describe({
  name: 'elasticsearch9',
  major: 9,
  version: '9.5.3',
  jdkAtLeast: 21,
});

function describe(release: ElasticsearchRelease): ServerDescriptor<ElasticsearchOptions> {
  const entry = elasticsearchEntry(release);
  return {
    name: release.name,
    version: release.version,
    needs: ['Linux x64', `JDK ${release.jdkAtLeast}+`, 'Maven', 'setpriv when run by root'],
    directory: () => entryDirectory(entry),
    installed: () => isInstalled(entry),
    install: (log) => installEntry(entry, log),
    canRun: () => verdictOf(() => requireTools(release)),
    start: async (options = {}) => {
      const home = await installEntry(entry, options.log ?? (() => undefined));
      const jdk = await quickestJdk(release.jdkAtLeast);
      return startServer({
        name: release.name,
        port: options.port,
        readyMs,
        prepare: (directory, port) =>
          prepare({ home, jdkHome: jdk.home, directory, port, options }),
      });
    },
  };
}

/** A JDK 17 takes twice as long to start as later ones do. */
async function quickestJdk(atLeast: number): Promise<Jdk> {
  const quick = Math.max(atLeast, 21);
  return await requireJdk(quick).catch(() => requireJdk(atLeast));
}

async function requireTools(release: ElasticsearchRelease): Promise<void> {
  requireLinuxX64();
  await requireJdk(release.jdkAtLeast);
  const entry = elasticsearchEntry(release);
  if (!(await isInstalled(entry))) await requireProgram('mvn');
  if (!isRoot()) return;
  await requireProgram('setpriv');
  const directory = await entryDirectory(entry);
  if (!(await reachableByAnyone(directory))) {
    throw new MissingTool(
      `refuses to run as root, and user nobody cannot enter ${directory}: set SLUICE_TEST_CACHE`,
    );
  }
}

interface Preparation {
  readonly home: string;
  readonly jdkHome: string;
  readonly directory: string;
  readonly port: number;
  readonly options: ElasticsearchOptions;
}

async function prepare(preparation: Preparation): Promise<Launch> {
  const { home, jdkHome, directory, port, options } = preparation;
  const config = join(directory, 'config');
  const secured = options.security === true || options.tls === true;
  for (const name of ['data', 'logs', 'tmp']) await mkdir(join(directory, name));
  await cp(join(home, 'config'), config, { recursive: true });
  await tuneJvm(join(config, 'jvm.options'));
  if (secured) {
    await copyFile(join(home, preparedKeystore), join(config, 'elasticsearch.keystore'));
    await chmod(join(config, 'elasticsearch.keystore'), 0o600);
  }
  if (options.tls === true) await makeCertificate(jdkHome, config);
  const settings = settingsText(directory, port, secured, options);
  await writeFile(join(config, 'elasticsearch.yml'), settings);
  if (isRoot()) {
    const command = ['chown', '-R', 'nobody:', directory];
    const step = { what: 'giving it to user nobody', cwd: directory, deadlineMs: 60_000 };
    await runInstallCommand({ ...step, command }, () => undefined);
  }
  const heap = options.heap ?? '512m';
  return {
    command: [...(await asNobody()), join(home, 'bin/elasticsearch')],
    env: {
      ...process.env,
      ES_JAVA_HOME: jdkHome,
      ES_PATH_CONF: config,
      ES_TMPDIR: join(directory, 'tmp'),
      CLI_JAVA_OPTS: '-XX:TieredStopAtLevel=1',
      ES_JAVA_OPTS: `-Xms${heap} -Xmx${heap} -XX:+UseSerialGC -XX:TieredStopAtLevel=1`,
    },
    url: `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${port}`,
    readyPath: '/_cluster/health',
    ...(secured ? { username: 'elastic', password: elasticPassword } : {}),
    ...(options.tls === true ? { caPath: join(config, 'http.crt') } : {}),
  };
}

/** Elasticsearch refuses to run as root. The group of user nobody differs between systems. */
async function asNobody(): Promise<string[]> {
  if (!isRoot()) return [];
  const group = /^nobody:[^:]*:\d+:(\d+):/m.exec(await readFile('/etc/passwd', 'utf8'))?.[1];
  if (group === undefined) throw new Error('Elasticsearch needs user nobody, unknown here.');
  return ['setpriv', '--reuid=nobody', `--regid=${group}`, '--clear-groups', '--no-new-privs'];
}

/** Takes out the collector for large heaps, of which there can be one only, and its log. */
async function tuneJvm(path: string): Promise<void> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const kept = lines.filter((line) => !/UseG1GC|^-Xlog:gc|HeapDumpOnOutOfMemory/.test(line));
  await writeFile(path, kept.join('\n'));
}

function settingsText(
  directory: string,
  port: number,
  secured: boolean,
  options: ElasticsearchOptions,
): string {
  const lines = [
    'cluster.name: sluice-test',
    'node.name: sluice-test-1',
    'discovery.type: single-node',
    'network.host: 127.0.0.1',
    `http.port: ${port}`,
    'transport.port: 0',
    `path.data: ${JSON.stringify(join(directory, 'data'))}`,
    `path.logs: ${JSON.stringify(join(directory, 'logs'))}`,
    // A developer's nearly full disk must not turn the indices read-only.
    'cluster.routing.allocation.disk.threshold_enabled: false',
    `xpack.security.enabled: ${secured}`,
  ];
  if (options.tls === true) {
    lines.push(
      'xpack.security.http.ssl.enabled: true',
      'xpack.security.http.ssl.keystore.path: http.p12',
      `xpack.security.http.ssl.keystore.password: ${keystorePassword}`,
    );
  }
  return [...lines, options.extraSettings ?? '', ''].join('\n');
}

// It protects nothing: the file is private already, but the format wants six characters.
const keystorePassword = 'changeit';

/** Makes a self-signed certificate with the JDK's own tool: http.p12, and http.crt to trust. */
async function makeCertificate(jdkHome: string, config: string): Promise<void> {
  const keytool = [join(jdkHome, 'bin/keytool'), '-J-XX:TieredStopAtLevel=1'];
  const store = ['-keystore', 'http.p12', '-storetype', 'PKCS12', '-storepass', keystorePassword];
  const step = { what: 'making a certificate', cwd: config, deadlineMs: 60_000 };
  const names = 'san=dns:localhost,ip:127.0.0.1';
  const subject = ['-alias', 'http', '-dname', 'CN=localhost', '-validity', '3650'];
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-ext', names, '-ext', 'bc:c=ca:true'];
  const generate = [...keytool, '-genkeypair', ...subject, ...key, ...store];
  await runInstallCommand({ ...step, command: generate }, () => undefined);
  const show = [...keytool, '-exportcert', '-rfc', '-alias', 'http', '-file', 'http.crt', ...store];
  await runInstallCommand({ ...step, command: show }, () => undefined);
}
