import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PipelineFacts, Scenario } from '../scenarios/scenario.ts';
import type { MeasuredAgent } from './agent.ts';
import { libraryPath, unpackDebian } from './debian_packages.ts';
import { programVersion } from './program_version.ts';

const packages = [
  'rsyslog',
  'rsyslog-elasticsearch',
  'libestr0',
  'libfastjson4',
  'liblognorm5',
  'libcurl4',
  'libnghttp2-14',
  'librtmp1',
  'libssh2-1',
  'libpsl5',
  'libldap-2.5-0',
  'libbrotli1',
  'libsasl2-2',
];

/** rsyslog of Debian: imfile, mmnormalize or mmjsonparse, omelasticsearch in bulk mode. Two queue
 *  workers; JSON strings stay strings. */
export function rsyslogAgent(): MeasuredAgent {
  let root = '';
  const environment = (): NodeJS.ProcessEnv => ({ LD_LIBRARY_PATH: libraryPath(root) });
  const program = (): string => join(root, 'usr', 'sbin', 'rsyslogd');
  return {
    name: 'rsyslog',
    refuses: ({ id }) => {
      if (rulesets[id] !== undefined) return undefined;
      return id.startsWith('S3')
        ? 'Debian has no output for Loki, nor omhttp'
        : 'no comparable configuration';
    },
    install: async (log) => {
      root = await unpackDebian('rsyslog', packages, log);
      return programVersion([program(), '-v'], environment());
    },
    prepare: async (scenario, facts) => {
      const path = join(facts.directory, 'rsyslog.conf');
      await writeFile(join(facts.directory, 'access.rulebase'), rulebase);
      await writeFile(join(facts.directory, 'months.json'), JSON.stringify(monthTable));
      await writeFile(path, configText(scenario, facts));
      const pid = join(facts.directory, 'rsyslog.pid');
      return {
        command: [program(), '-n', '-M', modulesOf(root), '-f', path, '-i', pid],
        env: environment(),
      };
    },
  };
}

function modulesOf(root: string): string {
  return join(root, 'usr', 'lib', 'x86_64-linux-gnu', 'rsyslog');
}

function configText(scenario: Scenario, facts: PipelineFacts): string {
  const { directory, inputs } = facts;
  const queue = scenario.id.startsWith('S5')
    ? `queue.type="LinkedList" queue.filename="spill" queue.saveonshutdown="on" queue.size="100000" queue.highwatermark="20000" queue.lowwatermark="5000" queue.syncqueuefiles="${scenario.id === 'S5.fsync' ? 'on' : 'off'}"`
    : 'queue.type="FixedArray" queue.size="100000"';
  return `global(workDirectory="${directory}" maxMessageSize="64k")
${['imfile', 'mmnormalize', 'mmjsonparse', 'omelasticsearch'].map((name) => `module(load="${name}")`).join('\n')}
lookup_table(name="months" file="${join(directory, 'months.json')}")
${templates}
ruleset(name="bench" ${queue} queue.workerthreads="2" queue.dequeuebatchsize="4096" queue.timeoutshutdown="1000") {
${rulesets[scenario.id]!(facts)}
}
${inputs.map((path) => `input(type="imfile" file="${path}" tag="bench" ruleset="bench" readTimeout="0" persistStateInterval="100000")`).join('\n')}
`;
}

type Ruleset = (facts: PipelineFacts) => string;

const accessRules: Ruleset = (facts) => `
  action(type="mmnormalize" rulebase="${join(facts.directory, 'access.rulebase')}")
  if ($parsesuccess == "OK") then {
    set $.month = lookup("months", $!month);
    ${bulk(facts, 'access')}
  } else {
    ${bulk(facts, 'raw')}
  }`;

const jsonRules: Ruleset = (facts) => `
  action(type="mmjsonparse" cookie="")
  if ($!level == "debug") then stop
  set $!message = $!msg;
  unset $!msg;
  set $!env = "prod";
  ${bulk(facts, 'json')}`;

const rulesets: Readonly<Record<string, Ruleset>> = {
  S1: accessRules,
  S2: jsonRules,
  'S5.interval': accessRules,
  'S5.fsync': accessRules,
};

function bulk(facts: PipelineFacts, template: string): string {
  return `action(type="omelasticsearch" server="127.0.0.1" serverport="${facts.port}" searchIndex="bench" searchType="" bulkmode="on" maxbytes="4m" template="${template}" action.resumeretrycount="-1")`;
}

const accessFields = [
  'clientip',
  'ident',
  'auth',
  'verb',
  'request',
  'httpversion',
  'response',
  'bytes',
  'referrer',
  'agent',
];

const templates = `
template(name="raw" type="list") { constant(value="{") property(name="msg" outname="message" format="jsonf") constant(value="}") }
template(name="json" type="subtree" subtree="$!")
template(name="access" type="list") {
  constant(value="{\\"@timestamp\\":\\"") property(name="$!year") constant(value="-") property(name="$.month")
  constant(value="-") property(name="$!day") constant(value="T") property(name="$!time") constant(value="Z\\",")
${accessFields
  .map((name, i) => {
    const comma = i === accessFields.length - 1 ? '' : ' constant(value=",")';
    return `  property(name="$!${name}" outname="${name}" format="jsonf")${comma}`;
  })
  .join('\n')}
  constant(value="}")
}`;

const rulebase = `version=2
rule=:%clientip:word% %ident:word% %auth:word% [%day:char-to:/%/%month:char-to:/%/%year:char-to{"extradata":":"}%:%time:word% +0000] "%verb:word% %request:word% HTTP/%httpversion:char-to{"extradata":"\\""}%" %response:word% %bytes:word% "%referrer:char-to{"extradata":"\\""}%" "%agent:char-to{"extradata":"\\""}%"
`;

const monthTable = {
  version: 1,
  nomatch: '00',
  type: 'string',
  table: ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map(
    (name, i) => ({ index: name, value: String(i + 1).padStart(2, '0') }),
  ),
};
