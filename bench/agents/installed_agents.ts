import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireProgram } from '../../test/servers/machine_tools.ts';
import type { PipelineFacts, Scenario } from '../scenarios/scenario.ts';
import type { MeasuredAgent } from './agent.ts';
import { programVersion } from './program_version.ts';

/** Programs that no package registry carries: from `PATH`, or from a path that a flag names. */
interface InstalledAgent {
  readonly name: string;
  readonly program: string;
  readonly files: (scenario: Scenario, facts: PipelineFacts) => Readonly<Record<string, string>>;
  readonly scenarios: readonly string[];
  /** Arguments; the working directory is the run's. */
  readonly args: readonly string[];
}

/** An agent that somebody has installed. `path` wins over `PATH`. */
function installedAgent(kind: InstalledAgent, path: string | undefined): MeasuredAgent {
  let program = path ?? '';
  return {
    name: kind.name,
    refuses: ({ id }) => (kind.scenarios.includes(id) ? undefined : 'no comparable configuration'),
    install: async () => {
      if (path === undefined) program = await requireProgram(kind.program);
      return programVersion([program, '--version']);
    },
    prepare: async (scenario, facts) => {
      for (const [name, text] of Object.entries(kind.files(scenario, facts))) {
        await writeFile(join(facts.directory, name), text);
      }
      return { command: [program, ...kind.args] };
    },
  };
}

/** Fluent Bit: threaded tail, chunks of 1 MB, one output worker, flush every 0.2 s. */
export function fluentBitAgent(path?: string): MeasuredAgent {
  const kind: InstalledAgent = {
    name: 'fluent-bit',
    program: 'fluent-bit',
    scenarios: ['S1', 'S2', 'S3.json', 'S4.jsoneachrow', 'S5.interval'],
    args: ['-c', 'fluent-bit.conf'],
    files: fluentBitFiles,
  };
  return installedAgent(kind, path);
}

/** Vector: parse_regex or parse_json, acknowledgements on, two threads. */
export function vectorAgent(path?: string): MeasuredAgent {
  const kind: InstalledAgent = {
    name: 'vector',
    program: 'vector',
    scenarios: ['S1', 'S2', 'S3.json', 'S4.jsoneachrow', 'S5.interval'],
    args: ['--quiet', '--threads', '2', '--config', 'vector.json'],
    files: (scenario, facts) => ({
      'vector.json': JSON.stringify(vectorConfig(scenario, facts), undefined, 2),
    }),
  };
  return installedAgent(kind, path);
}

const combinedPattern =
  '^(?<clientip>\\S+) (?<ident>\\S+) (?<auth>\\S+) \\[(?<timestamp>[^\\]]+)\\] "(?<verb>\\w+) (?<request>\\S+) HTTP/(?<httpversion>[\\d.]+)" (?<response>\\d+) (?<bytes>\\d+|-) "(?<referrer>[^"]*)" "(?<agent>(?:[^"\\\\]|\\\\.)*)"$';

function fluentBitFiles(scenario: Scenario, facts: PipelineFacts): Record<string, string> {
  const { id } = scenario;
  const isAccess = id === 'S1' || id.startsWith('S5');
  const isRaw = id.startsWith('S3');
  const parser = isAccess ? '    Parser access\n' : isRaw ? '' : '    Parser json\n';
  const disk = id.startsWith('S5');
  const filters =
    id === 'S2'
      ? `[FILTER]
    Name grep
    Match *
    Exclude level ^debug$
[FILTER]
    Name modify
    Match *
    Rename msg message
    Add env prod
`
      : '';
  const target = `    Match *\n    Host 127.0.0.1\n    Port ${facts.port}\n    Workers 1\n`;
  const outputs: Readonly<Record<string, string>> = {
    'S3.json': `    Name loki\n${target}    Labels job=bench\n    Drop_Single_Key raw\n`,
    'S4.jsoneachrow': `    Name http\n${target}    URI /?query=INSERT+INTO+bench+FORMAT+JSONEachRow\n    Format json_lines\n`,
  };
  const output =
    outputs[id] ??
    `    Name es\n${target}    Index bench\n    Suppress_Type_Name On\n    Generate_ID Off\n    Write_Operation create\n`;
  return {
    'fluent-bit.conf': `[SERVICE]
    Flush 0.2
    Log_Level error
    Parsers_File parsers.conf
${disk ? `    storage.path ${join(facts.directory, 'storage')}\n    storage.sync normal\n    storage.max_chunks_up 128\n` : ''}[INPUT]
    Name tail
    Path ${facts.inputs.join(',')}
    Read_from_Head On
    Threaded On
    Buffer_Chunk_Size 1M
    Buffer_Max_Size 4M
    Mem_Buf_Limit 64M
${disk ? '    storage.type filesystem\n' : ''}${parser}${filters}[OUTPUT]
${output}`,
    'parsers.conf': `[PARSER]
    Name access
    Format regex
    Regex ${combinedPattern}
    Time_Key timestamp
    Time_Format %d/%b/%Y:%H:%M:%S %z
[PARSER]
    Name json
    Format json
`,
  };
}

function vectorConfig(scenario: Scenario, facts: PipelineFacts): unknown {
  const { id } = scenario;
  const sources: Readonly<Record<string, string>> = {
    S2: '. = object!(parse_json!(string!(.message)))\n.message = del(.msg)\n.env = "prod"',
    'S4.jsoneachrow': '. = object!(parse_json!(string!(.message)))',
  };
  const access = `parsed, err = parse_regex(.message, r'${combinedPattern}')
if err == null {
  . = parsed
  ."@timestamp" = parse_timestamp!(string!(del(.timestamp)), "%d/%b/%Y:%H:%M:%S %z")
}`;
  const isRaw = id.startsWith('S3');
  const transforms: Record<string, unknown> = {};
  let from = 'logs';
  if (!isRaw) {
    transforms['parse'] = { type: 'remap', inputs: [from], source: sources[id] ?? access };
    from = 'parse';
  }
  if (id === 'S2') {
    transforms['keep'] = { type: 'filter', inputs: [from], condition: '.level != "debug"' };
    from = 'keep';
  }
  const origin = `http://127.0.0.1:${facts.port}`;
  const batch = { max_events: 5000, max_bytes: 4_000_000, timeout_secs: 0.2 };
  const common = { inputs: [from], batch, healthcheck: { enabled: false } };
  const disk = id.startsWith('S5') ? { buffer: { type: 'disk', max_size: 8_000_000_000 } } : {};
  const sinks: Readonly<Record<string, unknown>> = {
    'S3.json': {
      ...{ type: 'loki', endpoint: origin, labels: { job: 'bench' }, encoding: { codec: 'text' } },
      compression: 'none',
    },
    'S4.jsoneachrow': {
      ...{ type: 'clickhouse', endpoint: origin, table: 'bench', compression: 'none' },
      skip_unknown_fields: true,
    },
  };
  const sink = sinks[id] ?? {
    ...{ type: 'elasticsearch', endpoints: [origin], compression: 'none', api_version: 'v8' },
    bulk: { index: 'bench', action: 'create' },
  };
  return {
    data_dir: facts.directory,
    acknowledgements: { enabled: true },
    sources: { logs: { type: 'file', include: facts.inputs, read_from: 'beginning' } },
    transforms,
    sinks: { out: { ...(sink as object), ...common, ...disk } },
  };
}
