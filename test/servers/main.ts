import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type ServerName, servers } from './index.ts';
import type { Log, ServerDescriptor } from './server.ts';

const usage = `usage: main.js install [NAME...]   install what this machine can run (all by default)
       main.js start NAME [--port N] [--security] [--tls] [--auth]
       main.js status
names: ${Object.keys(servers).join(', ')}`;

/** Runs the command line and returns the exit code: 0, 1 for a failure, 2 for wrong usage. */
export async function runServersCommand(args: readonly string[]): Promise<number> {
  const parsed = parse(args);
  const [command, ...names] = parsed?.positionals ?? [];
  const unknown = names.filter((name) => !Object.hasOwn(servers, name));
  if (parsed === undefined || unknown.length > 0) {
    console.error(unknown.length > 0 ? `no such server: ${unknown.join(', ')}\n${usage}` : usage);
    return 2;
  }
  // Checked above: every name is a key of the registry.
  const known = names as ServerName[];
  if (command === 'install') return install(known);
  if (command === 'status' && known.length === 0) return status();
  if (command === 'start' && known.length === 1) return start(known[0]!, parsed.values);
  console.error(usage);
  return 2;
}

/** Installs every server named that this machine can run, all at once. Loki's build stands back
 *  for the others by its priority. Returns 0, or 1 when one of them failed. */
export async function install(names: readonly ServerName[]): Promise<number> {
  const wanted = names.length > 0 ? names : (Object.keys(servers) as ServerName[]);
  const results = await Promise.all(wanted.map((name) => installOne(servers[name])));
  return results.every((ok) => ok) ? 0 : 1;
}

async function installOne(server: ServerDescriptor): Promise<boolean> {
  const log = timedLog(server.name);
  const verdict = await server.canRun();
  if (!verdict.ok) {
    log(`skipped: ${verdict.why}`);
    return true;
  }
  try {
    const before = await server.installed();
    const directory = await server.install(log);
    log(`${before ? 'was' : 'is'} installed in ${directory}`);
    return true;
  } catch (error) {
    log(`failed: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function status(): Promise<number> {
  for (const server of Object.values(servers) as ServerDescriptor[]) {
    const verdict = await server.canRun();
    const directory = await server.directory();
    const state = (await server.installed()) ? `installed in ${directory}` : 'not installed';
    const ability = verdict.ok ? 'can run' : `cannot run: ${verdict.why}`;
    console.log(`${server.name} ${server.version}: ${ability}; ${state}`);
  }
  return 0;
}

interface StartFlags {
  readonly port?: string;
  readonly security?: boolean;
  readonly tls?: boolean;
  readonly auth?: boolean;
}

async function start(name: ServerName, flags: StartFlags): Promise<number> {
  const { port, ...options } = flags;
  const log = timedLog(name);
  const running = await servers[name].start({
    ...options,
    ...(port === undefined ? {} : { port: Number(port) }),
    log,
  });
  // Before this point a signal simply ends this process, and the server with it.
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
  console.log(running.url);
  if (running.username !== undefined) log(`user ${running.username}, ${running.password}`);
  if (running.caPath !== undefined) log(`certificate ${running.caPath}`);
  log(`process ${running.pid}, data in ${running.dataDir}; Ctrl-C stops it`);
  const died = await Promise.race([stopped.then(() => false), running.ended().then(() => true)]);
  if (died) log('ended by itself');
  await running.stop();
  return died ? 1 : 0;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        security: { type: 'boolean' },
        tls: { type: 'boolean' },
        auth: { type: 'boolean' },
      },
    });
  } catch {
    return undefined;
  }
}

/** Lines for a person, each with the seconds since the start and the server's name. */
function timedLog(name: string): Log {
  const startedAt = Date.now();
  return (line) => {
    const seconds = String(Math.round((Date.now() - startedAt) / 1000)).padStart(4);
    process.stderr.write(`${seconds} s  ${name}: ${line}\n`);
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await runServersCommand(process.argv.slice(2));
}
