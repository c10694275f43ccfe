import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PipelineFacts, Scenario } from '../scenarios/scenario.ts';
import type { MeasuredAgent } from './agent.ts';
import { libraryPath, unpackDebian } from './debian_packages.ts';
import { programVersion } from './program_version.ts';

const packages = [
  'syslog-ng-core',
  'syslog-ng-mod-http',
  'libivykis0',
  'libnet1',
  'libwrap0',
  'libjson-c5',
  'libpcre3',
  'libcap2',
  'libglib2.0-0',
  'libcurl4',
  'libnghttp2-14',
  'librtmp1',
  'libssh2-1',
  'libpsl5',
  'libldap-2.5-0',
  'libbrotli1',
  'libsasl2-2',
];

/** syslog-ng of Debian: regexp-parser or json-parser, the http destination with two workers. JSON
 *  strings stay strings. */
export function syslogNgAgent(): MeasuredAgent {
  let root = '';
  const program = (): string => join(root, 'usr', 'sbin', 'syslog-ng');
  const modules = (): string => join(root, 'usr', 'lib', 'syslog-ng', '3.38');
  const environment = (): NodeJS.ProcessEnv => ({
    LD_LIBRARY_PATH: libraryPath(root, ['usr/lib/syslog-ng']),
  });
  return {
    name: 'syslog-ng',
    refuses: ({ id }) => {
      if (routes[id] !== undefined) return undefined;
      if (id === 'S3.protobuf') return 'its Loki destination came with a later version';
      return 'no comparable configuration';
    },
    install: async (log) => {
      root = await unpackDebian('syslog-ng', packages, log);
      const command = [program(), `--module-path=${modules()}`, '--version'];
      return programVersion(command, environment());
    },
    prepare: async (scenario, facts) => {
      const path = join(facts.directory, 'syslog-ng.conf');
      await writeFile(path, configText(scenario, facts));
      const own = (name: string): string => join(facts.directory, name);
      return {
        command: [
          ...[program(), '-F', '--no-caps', '-f', path, `--module-path=${modules()}`],
          ...[`--persist-file=${own('persist')}`, `--control=${own('ctl')}`],
          ...[`--pidfile=${own('pid')}`],
        ],
        env: environment(),
      };
    },
  };
}

function configText(scenario: Scenario, facts: PipelineFacts): string {
  const sources = facts.inputs.map(
    (path) =>
      `  file("${path}" flags(no-parse) follow-freq(0.1) log-fetch-limit(10000) log-iw-size(100000));`,
  );
  return `@version: 3.38
options { stats-freq(0); use-dns(no); keep-hostname(yes); threaded(yes); log-msg-size(65536); log-fifo-size(200000); };
source s {
${sources.join('\n')}
};
${routes[scenario.id]!(facts)}
`;
}

type Route = (facts: PipelineFacts) => string;

const access: Route = (facts) => `
parser access {
  regexp-parser(patterns('^(?<clientip>\\S+) (?<ident>\\S+) (?<auth>\\S+) \\[(?<timestamp>[^\\]]+)\\] "(?<verb>\\w+) (?<request>\\S+) HTTP/(?<httpversion>[\\d.]+)" (?<response>\\d+) (?<bytes>\\d+|-) "(?<referrer>[^"]*)" "(?<agent>(?:[^"\\\\]|\\\\.)*)"$') prefix("a."));
  date-parser(format("%d/%b/%Y:%H:%M:%S %z") template("\${a.timestamp}"));
};
destination parsed { ${bulk(facts, '$(format-json --scope none --key a.* --shift-levels 1 @timestamp="$ISODATE")')} };
destination raw { ${bulk(facts, '$(format-json --scope none message="$MSG")')} };
log {
  source(s);
  if { parser(access); destination(parsed); } else { destination(raw); };
  flags(flow-control);
};`;

const json: Route = (facts) => `
parser json { json-parser(prefix(".j.")); };
filter kept { not match("debug" value(".j.level") type(string)); };
rewrite fields { set("\${.j.msg}" value(".j.message")); unset(value(".j.msg")); set("prod" value(".j.env")); };
destination out { ${bulk(facts, '$(format-json --scope none --key .j.* --shift-levels 2)')} };
log { source(s); parser(json); filter(kept); rewrite(fields); destination(out); flags(flow-control); };`;

const loki: Route = (facts) => `
template entry { template('["\${S_UNIXTIME}000000000","$MSG"]'); template-escape(yes); };
destination out {
  http(url("http://127.0.0.1:${facts.port}/loki/api/v1/push") method("POST")
    headers("Content-Type: application/json") workers(2)
    batch-lines(5000) batch-bytes(4096Kb) batch-timeout(200)
    body-prefix('{"streams":[{"stream":{"job":"bench"},"values":[') delimiter(",")
    body('$(template entry)') body-suffix(']}]}'));
};
log { source(s); destination(out); flags(flow-control); };`;

const clickHouse: Route = (facts) => `
parser json { json-parser(prefix(".j.")); };
destination out {
  http(url("http://127.0.0.1:${facts.port}/?query=INSERT+INTO+bench+FORMAT+JSONEachRow") method("POST") workers(2)
    batch-lines(5000) batch-bytes(4096Kb) batch-timeout(200) delimiter("\\n")
    body('$(format-json --scope none --key .j.* --shift-levels 2)'));
};
log { source(s); parser(json); destination(out); flags(flow-control); };`;

const routes: Readonly<Record<string, Route>> = {
  S1: access,
  S2: json,
  'S3.json': loki,
  'S4.jsoneachrow': clickHouse,
};

function bulk(facts: PipelineFacts, document: string): string {
  const name = document.includes('message="$MSG"') ? 'raw' : 'parsed';
  return `http(persist-name("${name}") url("http://127.0.0.1:${facts.port}/bench/_bulk") method("POST") headers("Content-Type: application/x-ndjson") workers(2) batch-lines(5000) batch-bytes(4096Kb) batch-timeout(200) delimiter("\\n") body-suffix("\\n") body('{"create":{}}\n${document}'));`;
}
