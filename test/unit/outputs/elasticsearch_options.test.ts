import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../core/config/secret.ts';
import {
  type ElasticsearchOptions,
  schema,
} from '../../../plugins/outputs/elasticsearch/config.ts';
import { plugin } from '../../../plugins/outputs/elasticsearch/index.ts';
import {
  authorizationOf,
  cloudAddress,
  serverAddresses,
} from '../../../plugins/outputs/elasticsearch/servers.ts';
import { optionsOf } from '../shared/output_harness.ts';

type Given = Partial<ElasticsearchOptions>;

function options(given: Given): ElasticsearchOptions {
  return optionsOf<ElasticsearchOptions>(schema, given);
}

function problemsOf(given: Given): string[] {
  return (plugin.check?.(options(given)) ?? []).map((problem) => problem.path.join('.'));
}

const accepted: Given[] = [
  {},
  { index: 'logs-%{+YYYY.MM.dd}' },
  { index: '.hidden' },
  { index: 'a'.repeat(255) },
  { index: `${'a'.repeat(150)}%{b}` },
  { data_stream: 'logs-%{service}-default' },
  { logstash_format: true },
  { hosts: ['a', 'b:9201', 'https://c'] },
  { template_name: 't', template_file: 't.json' },
];

for (const given of accepted) {
  test(`the options ${JSON.stringify(given).slice(0, 80)} are accepted`, () => {
    assert.deepEqual(problemsOf(given), []);
  });
}

const refused: [Given, string][] = [
  [{ index: '%{service}' }, 'index'],
  [{ index: '%{+YYYY}' }, 'index'],
  [{ index: '$TAG' }, 'index'],
  [{ index: '%Y.%m' }, 'index'],
  [{ index: '-logs' }, 'index'],
  [{ index: '_all' }, 'index'],
  [{ index: '.logs-%{a}' }, 'index'],
  [{ index: '..' }, 'index'],
  [{ index: 'Logs' }, 'index'],
  [{ index: 'logs-%{a}-X' }, 'index'],
  [{ index: 'logs,other' }, 'index'],
  [{ index: 'remote:logs' }, 'index'],
  [{ index: '<logs-{now/d}>' }, 'index'],
  [{ index: 'logs-%{a' }, 'index'],
  [{ index: 'logs-%{+QQQ}' }, 'index'],
  [{ index: 'a'.repeat(256) }, 'index'],
  [{ index: `${'a'.repeat(151)}%{b}` }, 'index'],
  [{ data_stream: '%{a}' }, 'data_stream'],
  [{ data_stream: 'logs', write_operation: 'index' }, 'write_operation'],
  [{ data_stream: 'logs', write_operation: 'upsert' }, 'write_operation'],
  [{ write_operation: 'update', generate_id: false }, 'write_operation'],
  [{ data_stream: 'logs', time_key: 't' }, 'time_key'],
  [{ data_stream: 'logs', logstash_format: true }, 'data_stream'],
  [{ logstash_format: true, logstash_prefix: '%{a}' }, 'logstash_prefix'],
  [{ template_file: 't.json' }, 'template_file'],
  [{ hosts: ['a', 'b c'] }, 'hosts'],
  [{ host: 'ftp://x' }, 'host'],
  [{ cloud_id: 'nonsense' }, 'cloud_id'],
];

for (const [given, path] of refused) {
  test(`the options ${JSON.stringify(given).slice(0, 80)} are refused, at ${path}`, () => {
    assert.deepEqual(problemsOf(given), [path]);
  });
}

test('servers come from hosts, from host, and with the path before _bulk', () => {
  const origins = (given: Given, isTls = false): string[] =>
    serverAddresses(options(given), isTls).map(({ origin, path }) => origin + path);
  assert.deepEqual(origins({}), ['http://127.0.0.1:9200']);
  assert.deepEqual(origins({ host: 'es', port: 9201 }, true), ['https://es:9201']);
  assert.deepEqual(origins({ hosts: ['a', 'https://b/es/'], path: '/x/' }), [
    'http://a:9200/x',
    'https://b/es/x',
  ]);
});

const cloud = (text: string): string => `name:${Buffer.from(text).toString('base64')}`;

test('a Cloud ID gives the address of its Elasticsearch', () => {
  assert.equal(
    cloudAddress(cloud('eu-west-1.aws.found.io$abc123$kib456')),
    'https://abc123.eu-west-1.aws.found.io:443',
  );
  assert.equal(cloudAddress(cloud('example.com:9243$abc$')), 'https://abc.example.com:9243');
  assert.equal(cloudAddress(cloud('example.com:9243$abc:9999$')), 'https://abc.example.com:9999');
  for (const text of ['', 'host', 'host$', 'ho/st$abc', 'host$a@b']) {
    assert.throws(() => cloudAddress(cloud(text)), { code: 'SLUICE_OPTION_INVALID' }, text);
  }
});

test('credentials are a user, else cloud_auth, else a key, else none', () => {
  const key = { api_key: new Secret('a2V5') };
  const auth = { cloud_auth: new Secret('elastic:pw') };
  const user = { http_user: 'u', http_passwd: new Secret('p') };
  assert.equal(authorizationOf(options({})), undefined);
  assert.equal(authorizationOf(options(key)), 'ApiKey a2V5');
  assert.equal(
    authorizationOf(options({ http_api_key: new Secret('Zmx1ZW50') })),
    'ApiKey Zmx1ZW50',
  );
  assert.equal(authorizationOf(options({ ...key, ...auth })), 'Basic ZWxhc3RpYzpwdw==');
  assert.equal(authorizationOf(options({ ...key, ...auth, ...user })), 'Basic dTpw');
});

test('every option has a description that is a sentence', () => {
  for (const [key, property] of Object.entries(schema.properties)) {
    assert.match(property.description, /^[A-Z`].*\.$/s, key);
  }
});
