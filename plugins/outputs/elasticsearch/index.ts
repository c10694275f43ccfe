import { defineOutput, messageOf, type OptionProblem } from '../../../core/sdk/index.ts';
import { type ElasticsearchOptions, schema } from './config.ts';
import { ElasticsearchOutput } from './elasticsearch_output.ts';
import { checkIndexName } from './index_name.ts';
import { authorizationOf, serverAddresses } from './servers.ts';

export const plugin = defineOutput<ElasticsearchOptions>({
  name: 'elasticsearch',
  aliases: ['es'],
  summary: 'Sends records to Elasticsearch 8 or 9 with the Bulk API.',
  description: `Every document gets an \`_id\` made of its origin and is written with \`create\`, so that a record which is
sent twice is stored once (within one backing index). A document that Elasticsearch refuses goes to the dead letters with
its reason; what is only too much at the moment (429, 503) is sent again alone; a server that is unreachable, or that
refuses the whole request for a reason a person can mend, is tried until it takes it.`,
  stability: 'beta',
  encodesApart: true,
  schema,
  batch: { bytes: 4 * 1024 * 1024, records: 20_000 },
  example: `pipeline:
  inputs:
    - name: tail
      path: /var/log/app/*.log
      tag: app
  outputs:
    - name: elasticsearch
      match: app
      host: 127.0.0.1
      port: 9200
      index: logs-app-%{+YYYY.MM.dd}
`,
  check: (options) => [
    ...checkIndexName(options),
    ...checkCombinations(options),
    ...checkServers(options),
  ],
  create: (options, context) => new ElasticsearchOutput(options, context),
});

function checkCombinations(options: ElasticsearchOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const say = (key: string, message: string) => problems.push({ path: [key], message });
  if (options.data_stream !== undefined) {
    if (options.write_operation !== 'create') {
      say('write_operation', 'A data stream takes "create" only.');
    }
    if (options.logstash_format) {
      say('data_stream', 'A data stream has one name: leave logstash_format out.');
    }
    if (options.time_key !== '@timestamp') {
      say('time_key', 'The time of a document in a data stream is in @timestamp.');
    }
  }
  const { write_operation: operation, id_key, generate_id } = options;
  const isChange = operation === 'update' || operation === 'upsert';
  if (isChange && id_key === undefined && !generate_id) {
    say('write_operation', `"${operation}" needs an id: name a field as id_key.`);
  }
  if ((options.template_name === undefined) !== (options.template_file === undefined)) {
    const key = options.template_name === undefined ? 'template_file' : 'template_name';
    say(key, 'An index template needs both template_name and template_file.');
  }
  return problems;
}

function checkServers(options: ElasticsearchOptions): OptionProblem[] {
  const key = options.hosts === undefined ? 'host' : 'hosts';
  try {
    serverAddresses(options, false);
    authorizationOf(options);
    return [];
  } catch (error) {
    return [
      { path: [options.cloud_id === undefined ? key : 'cloud_id'], message: messageOf(error) },
    ];
  }
}
