import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CacheEntry, installEntry } from '../../test/servers/install_cache.ts';
import { runInstallCommand } from '../../test/servers/install_command.ts';
import { requireProgram } from '../../test/servers/machine_tools.ts';
import type { Log } from '../../test/servers/server.ts';
import type { PipelineFacts } from '../scenarios/scenario.ts';
import type { MeasuredAgent } from './agent.ts';

const packageName = '@sematext/logagent';
const version = '3.2.0';

/** Sematext's logagent, which runs on Node: its file input, its parser with one pattern in place of
 *  the many it ships, its Elasticsearch output. */
export function logagentAgent(): MeasuredAgent {
  let directory = '';
  return {
    name: 'logagent',
    refuses: ({ id }) =>
      id === 'S1' ? undefined : 'no comparable configuration of its parser and outputs',
    install: async (log) => {
      const entry: CacheEntry = {
        name: 'bench-logagent',
        version,
        recipe: [packageName],
        build: (staging) => build(staging, log),
      };
      directory = await installEntry(entry, log);
      return version;
    },
    prepare: async (_scenario, facts) => {
      const path = join(facts.directory, 'logagent.yml');
      await writeFile(join(facts.directory, 'patterns.yml'), patterns);
      await writeFile(path, config(facts));
      const program = join(directory, 'node_modules', packageName, 'bin', 'logagent.js');
      const args = ['--config', path, '--tailStartPosition', '0'];
      return {
        command: [process.execPath, program, ...args],
        env: { LOGSENE_TMP_DIR: facts.directory },
      };
    },
  };
}

async function build(directory: string, log: Log): Promise<void> {
  await writeFile(join(directory, 'package.json'), '{"private": true}\n');
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  const command = [
    ...[await requireProgram('npm'), 'install', `--prefix=${directory}`, ...flags],
    `${packageName}@${version}`,
  ];
  await runInstallCommand(
    { what: 'downloading logagent', command, cwd: directory, deadlineMs: 15 * 60_000 },
    log,
  );
}

function config(facts: PipelineFacts): string {
  return `options:
  printStats: 0
  suppress: true
  geoipEnabled: false
  diskBufferDir: ${facts.directory}
input:
  files:
${facts.inputs.map((path) => `    - ${path}`).join('\n')}
parser:
  patternFiles:
    - ${join(facts.directory, 'patterns.yml')}
output:
  elasticsearch:
    module: elasticsearch
    url: http://127.0.0.1:${facts.port}
    index: bench
`;
}

const patterns = `patterns:
  - sourceName: !!js/regexp /.*/
    match:
      - type: access
        regex: !!js/regexp /^(\\S+) (\\S+) (\\S+) \\[([^\\]]+)\\] "(\\w+) (\\S+) HTTP\\/([\\d.]+)" (\\d+) (\\d+|-) "([^"]*)" "((?:[^"\\\\]|\\\\.)*)"$/
        fields: [clientip, ident, auth, ts, verb, request, httpversion, response, bytes, referrer, agent]
        dateFormat: DD/MMM/YYYY:HH:mm:ss ZZ
`;
