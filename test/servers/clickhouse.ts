import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CacheEntry, entryDirectory, installEntry, isInstalled } from './install_cache.ts';
import { runInstallCommand } from './install_command.ts';
import { requireLinuxX64, requireProgram } from './machine_tools.ts';
import { type Launch, startServer } from './running_server.ts';
import type { Log, ServerDescriptor, StartOptions } from './server.ts';
import { verdictOf } from './verdict.ts';

const packageName = '@chdb/lib-linux-x64-gnu';
const version = '26.7.3-stable.1';
const username = 'tester';
const password = 'sluice-test-password';
const readyMs = 60_000;

// The npm package holds the whole ClickHouse engine as a library with a C interface
// (chdb.h: chdb_query_cmdline and the accessors of its result). Given the arguments of
// clickhouse-local it is that program, whose SYSTEM START LISTEN opens the real HTTP handler.
const launcherSource = `#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

static void *symbol(void *library, const char *name) {
  void *found = dlsym(library, name);
  if (!found) {
    fprintf(stderr, "the library has no %s\\n", name);
    _exit(1);
  }
  return found;
}

/* launcher LIBRARY [ARGUMENT...] */
int main(int count, char **arguments) {
  if (count < 2) return 2;
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    fprintf(stderr, "%s\\n", dlerror());
    return 1;
  }
  void *(*run)(int, char **) = symbol(library, "chdb_query_cmdline");
  char *(*error_of)(void *) = symbol(library, "chdb_result_error");
  arguments[1] = "clickhouse-local";
  void *result = run(count - 1, arguments + 1);
  char *error = result ? error_of(result) : "the engine gave no result";
  if (error) fprintf(stderr, "%s\\n", error);
  fflush(stderr);
  /* Its threads still run, so no destructor may. */
  _exit(error ? 1 : 0);
}
`;

const configText = (more: string) => `<clickhouse>
  <users_config>users.xml</users_config>${more}
</clickhouse>
`;

const networks = '<networks><ip>127.0.0.1</ip></networks>';
const usersText = `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>${networks}
      <profile>default</profile><quota>default</quota>
      <access_management>1</access_management>
    </default>
    <${username}>
      <password>${password}</password>${networks}
      <profile>default</profile><quota>default</quota>
    </${username}>
  </users>
</clickhouse>
`;

// The process lives for as long as its last query runs, and this one has no end.
const query = `SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(3) FROM system.numbers FORMAT Null SETTINGS max_block_size = 1`;

const entry: CacheEntry = {
  name: 'clickhouse',
  version,
  recipe: [packageName, launcherSource],
  build,
};

/** ClickHouse 26 over HTTP, with users `default` (no password) and `tester`. */
export const clickhouse: ServerDescriptor = {
  name: 'clickhouse',
  version,
  needs: ['Linux x64', 'npm', 'gcc'],
  directory: () => entryDirectory(entry),
  installed: () => isInstalled(entry),
  install: (log) => installEntry(entry, log),
  canRun: () =>
    verdictOf(async () => {
      requireLinuxX64();
      if (await isInstalled(entry)) return;
      await requireProgram('npm');
      await requireProgram('gcc');
    }),
  start: async (options: StartOptions = {}) => {
    const home = await installEntry(entry, options.log ?? (() => undefined));
    return startServer({
      name: 'clickhouse',
      port: options.port,
      readyMs,
      prepare: (directory, port) => clickhouseLaunch(home, directory, port),
    });
  },
};

async function build(directory: string, log: Log): Promise<void> {
  log('downloading with npm');
  await writeFile(join(directory, 'package.json'), '{"private": true}\n');
  await runInstallCommand(
    {
      what: 'downloading',
      command: [
        await requireProgram('npm'),
        'install',
        `--prefix=${directory}`,
        '--no-save',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--no-update-notifier',
        `${packageName}@${version}`,
      ],
      cwd: directory,
      env: withoutNpmContext(),
      deadlineMs: 15 * 60_000,
    },
    log,
  );
  log('compiling the launcher');
  await writeFile(join(directory, 'launcher.c'), launcherSource);
  const command = ['gcc', '-O1', '-o', 'launcher', 'launcher.c', '-ldl'];
  const step = { what: 'compiling the launcher', cwd: directory, deadlineMs: 60_000 };
  await runInstallCommand({ ...step, command }, log);
  await rename(
    join(directory, 'node_modules', packageName, 'libchdb.so'),
    join(directory, 'libchdb.so'),
  );
  const license = join(directory, 'node_modules', packageName, 'LICENSE');
  await copyFile(license, join(directory, 'LICENSE')).catch(() => undefined);
  await rm(join(directory, 'node_modules'), { recursive: true });
}

/** The environment without what an npm that runs this process says of its own project. */
function withoutNpmContext(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^npm_(package|lifecycle|command)|^npm_config_(local_prefix|prefix|global|workspace)/.test(
        name,
      ),
  );
  return Object.fromEntries(kept);
}

/** Writes the configuration, with `more` elements in it, and says how to run the engine below `home`. */
export async function clickhouseLaunch(
  home: string,
  directory: string,
  port: number,
  more = '',
): Promise<Launch> {
  const data = join(directory, 'data');
  await mkdir(data);
  const config = join(directory, 'config.xml');
  await writeFile(config, configText(more), { mode: 0o600 });
  await writeFile(join(directory, 'users.xml'), usersText, { mode: 0o600 });
  return {
    command: [
      join(home, 'launcher'),
      join(home, 'libchdb.so'),
      `--config-file=${config}`,
      `--path=${data}`,
      '--listen_host=127.0.0.1',
      `--http_port=${port}`,
      `--query=${query}`,
    ],
    url: `http://127.0.0.1:${port}`,
    username,
    password,
    readyPath: '/ping',
  };
}
