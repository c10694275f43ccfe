import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CacheEntry, installEntry } from '../../test/servers/install_cache.ts';
import { runInstallCommand } from '../../test/servers/install_command.ts';
import { requireProgram } from '../../test/servers/machine_tools.ts';
import type { Log } from '../../test/servers/server.ts';
import type { PipelineFacts, Scenario } from '../scenarios/scenario.ts';
import type { MeasuredAgent } from './agent.ts';

const version = '4.76.0';
const modulePath = 'github.com/redpanda-data/benthos/v4';

const mainSource = `package main

import (
	"context"

	_ "${modulePath}/public/components/io"
	_ "${modulePath}/public/components/pure"
	"${modulePath}/public/service"
)

func main() { service.RunCLI(context.Background()) }
`;

const moduleSource = `module bench

go 1.24.0

require ${modulePath} v${version}
`;

/** Benthos, compiled from its Go module with the components that are used. Two pipeline threads,
 *  batches of 5,000. */
export function benthosAgent(): MeasuredAgent {
  let directory = '';
  return {
    name: 'benthos',
    refuses: ({ id }) => {
      if (processors[id] !== undefined) return undefined;
      return id === 'S3.protobuf' ? 'no Loki output' : 'no comparable configuration';
    },
    install: async (log) => {
      const entry: CacheEntry = {
        name: 'bench-benthos',
        version,
        recipe: [mainSource, moduleSource],
        build: (staging) => build(staging, log),
      };
      directory = await installEntry(entry, log);
      return version;
    },
    prepare: async (scenario, facts) => {
      const path = join(facts.directory, 'benthos.yaml');
      // JSON is YAML too.
      await writeFile(path, JSON.stringify(config(scenario, facts), undefined, 2));
      return { command: [join(directory, 'benthos'), 'run', path] };
    },
  };
}

async function build(directory: string, log: Log): Promise<void> {
  const go = await requireProgram('go');
  await writeFile(join(directory, 'main.go'), mainSource);
  await writeFile(join(directory, 'go.mod'), moduleSource);
  const step = { cwd: directory, deadlineMs: 20 * 60_000 };
  await runInstallCommand(
    { ...step, what: 'downloading Benthos', command: [go, 'mod', 'tidy'] },
    log,
  );
  const command = ['nice', go, 'build', '-trimpath', '-o', 'benthos', '.'];
  await runInstallCommand({ ...step, what: 'compiling Benthos', command }, log);
}

function config(scenario: Scenario, facts: PipelineFacts): unknown {
  const { each, batch, path, type } = processors[scenario.id]!;
  return {
    http: { enabled: false },
    logger: { level: 'WARN' },
    input: { file: { paths: facts.inputs, scanner: { lines: {} } } },
    pipeline: { threads: 2, processors: each },
    output: {
      http_client: {
        url: `http://127.0.0.1:${facts.port}${path}`,
        verb: 'POST',
        headers: { 'Content-Type': type },
        max_in_flight: 4,
        batch_as_multipart: false,
        batching: { count: 5000, period: '200ms', processors: batch },
      },
    },
  };
}

interface Stages {
  readonly each: readonly unknown[];
  readonly batch: readonly unknown[];
  readonly path: string;
  readonly type: string;
}

const toBulk = [
  { mapping: 'root = "{\\"create\\":{}}\\n" + content().string()' },
  { archive: { format: 'lines' } },
  { mapping: 'root = content().string() + "\\n"' },
];
const bulkTarget = { path: '/bench/_bulk', type: 'application/x-ndjson' };

const accessPattern = String.raw`^(?P<clientip>\S+) (?P<ident>\S+) (?P<auth>\S+) \[(?P<timestamp>[^\]]+)\] "(?P<verb>\w+) (?P<request>\S+) HTTP/(?P<httpversion>[\d.]+)" (?P<response>\d+) (?P<bytes>\d+|-) "(?P<referrer>[^"]*)" "(?P<agent>(?:[^"\\]|\\.)*)"$`;

const accessMapping = `let f = content().string().re_find_object("""${accessPattern}""")
root = if $f.length() == 0 { {"message": content().string()} } else {
  $f.without("0").merge({"@timestamp": $f.timestamp.ts_strptime("%d/%b/%Y:%H:%M:%S %z").ts_format("2006-01-02T15:04:05Z07:00")})
}`;

const processors: Readonly<Record<string, Stages>> = {
  S1: {
    each: [
      // The grok processor, on Go's regular expressions, costs ten times as much.
      { mapping: accessMapping },
    ],
    batch: toBulk,
    ...bulkTarget,
  },
  S2: {
    each: [
      {
        mapping:
          'root = if this.level == "debug" { deleted() } else { this.without("msg").merge({"message": this.msg, "env": "prod"}) }',
      },
    ],
    batch: toBulk,
    ...bulkTarget,
  },
  'S3.json': {
    each: [{ mapping: 'root = [ timestamp_unix_nano().string(), content().string() ]' }],
    batch: [
      { archive: { format: 'json_array' } },
      { mapping: 'root = {"streams": [{"stream": {"job": "bench"}, "values": this}]}' },
    ],
    path: '/loki/api/v1/push',
    type: 'application/json',
  },
  'S4.jsoneachrow': {
    each: [{ mapping: 'root = this' }],
    batch: [{ archive: { format: 'lines' } }],
    path: '/?query=INSERT+INTO+bench+FORMAT+JSONEachRow',
    type: 'text/plain',
  },
};
