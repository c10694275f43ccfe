import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../../core/config/secret.ts';
import { loadText } from './sample_plugins.ts';

function loadOutput(text: string, serviceText = '{}') {
  const { config, places } = loadText(
    `service: ${serviceText}\npipeline:\n  inputs: [{name: stdin}]\n  outputs:\n    - ${text}\n`,
  );
  assert.deepEqual(places, []);
  return config!.outputs[0]!;
}

function loadInput(text: string) {
  const { config, places } = loadText(
    `pipeline:\n  outputs: [{name: null}]\n  inputs:\n    - ${text}\n`,
  );
  assert.deepEqual(places, []);
  return config!.inputs[0]!;
}

function loadFilter(text: string, options: Parameters<typeof loadText>[1] = {}) {
  const { config, places } = loadText(
    `pipeline:\n  outputs: [{name: null}]\n  inputs: [{name: stdin}]\n  filters:\n    - ${text}\n`,
    options,
  );
  assert.deepEqual(places, []);
  return config!.filters[0]!;
}

test('Keys are taken in any case and in camelCase.', () => {
  const { base, options } = loadInput(
    '{Name: Tail, PATH: a, Mem_Buf_Limit: 1MB, bufferMaxSize: 1k}',
  );
  assert.equal(base.memBufLimitBytes, 1_000_000);
  assert.equal(options['buffer_max_size'], 1000);
});

test('Dotted keys and nested maps are the same, either way round.', () => {
  const forms = [
    '{name: es, alias: a, storage.type: filesystem, storage.total_limit_size: 1GB}',
    '{name: es, alias: a, storage: {type: filesystem, totalLimitSize: 1GB}}',
    '{name: es, alias: a, Storage: {Type: filesystem}, storage.totalLimitSize: 1GB}',
  ];
  for (const form of forms) {
    const { storage } = loadOutput(form).base;
    assert.deepEqual([storage.type, storage.totalLimitBytes], ['filesystem', 1e9]);
  }
  const retries = [
    '{name: es, retry: {max_attempts: 3, backoff: {initial: 2}}}',
    '{name: es, retry.max_attempts: 3, retry.backoff.initial: 2}',
    '{name: es, retry: {maxAttempts: 3}, retry.backoff: {initial: 2s}}',
  ];
  for (const form of retries) {
    assert.deepEqual(loadOutput(form).base.retry, {
      maxAttempts: 3,
      initialMs: 2000,
      maxMs: 60_000,
    });
  }
});

test('A map under tls turns it on, unless it says otherwise.', () => {
  const read = (text: string) => {
    const { enabled, verify } = loadOutput(`{name: es, ${text}}`).base.tls;
    return [enabled, verify];
  };
  assert.deepEqual(read('tls: on'), [true, true]);
  assert.deepEqual(read('tls: {verify: off}'), [true, false]);
  assert.deepEqual(read('tls: {enabled: no, verify: off}'), [false, false]);
  assert.deepEqual(read('tls.verify: off'), [false, false]);
});

test('Keys that the user chooses stay untouched.', () => {
  const { options } = loadFilter(
    '{name: mutate, rename: {fooBar: x, Foo.Bar: y, __proto__: z}, set: {aB: {cD: [1, {eF: 2}]}}}',
  );
  assert.deepEqual(Object.keys(options['rename'] as object), ['fooBar', 'Foo.Bar', '__proto__']);
  assert.deepEqual(options['set'], { aB: { cD: [1, { eF: 2 }] } });
  assert.equal(({} as Record<string, unknown>)['z'], undefined);
});

test('Numbers, booleans and texts are taken in the spellings of people.', () => {
  const { options } = loadOutput('{name: es, port: "9201", host: 10, index: 1.10, compress: GZIP}');
  assert.deepEqual(options, {
    port: 9201,
    host: '10',
    index: '1.10',
    compress: 'gzip',
  });
  for (const word of ['on', 'Yes', 'TRUE', 'true', '"On"']) {
    assert.equal(
      loadInput(`{name: tail, path: a, read_from_head: ${word}}`).options['read_from_head'],
      true,
    );
  }
  for (const word of ['off', 'No', 'FALSE', '"false"']) {
    assert.equal(
      loadInput(`{name: tail, path: a, read_from_head: ${word}}`).options['read_from_head'],
      false,
    );
  }
});

const durations: readonly [string, number][] = [
  ['5', 5000],
  ['0.5', 500],
  ['"5"', 5000],
  ['250ms', 250],
  ['5s', 5000],
  ['1m', 60_000],
  ['1h30m', 5_400_000],
  ['2 h', 7_200_000],
  ['1D', 86_400_000],
];

for (const [text, milliseconds] of durations) {
  test(`The duration ${text} is ${milliseconds} ms.`, () => {
    assert.equal(loadOutput(`{name: es, flush: ${text}}`).base.flushMs, milliseconds);
  });
}

const sizes: readonly [string, number][] = [
  ['1000', 1000],
  ['1k', 1000],
  ['1KB', 1000],
  ['1KiB', 1024],
  ['1.5M', 1_500_000],
  ['2 GiB', 2 * 1024 ** 3],
];

for (const [text, bytes] of sizes) {
  test(`The size ${text} is ${bytes} bytes.`, () => {
    assert.equal(loadOutput(`{name: es, batch: {bytes: ${text}}}`).base.batch.bytesMax, bytes);
  });
}

const limits: readonly [string, number][] = [
  ['5', 6],
  ['"5"', 6],
  ['0', 1],
  ['no_retries', 1],
  ['No_Limits', Number.POSITIVE_INFINITY],
  ['false', Number.POSITIVE_INFINITY],
  ['off', Number.POSITIVE_INFINITY],
];

for (const [text, attempts] of limits) {
  test(`The retry limit ${text} means ${attempts} attempts.`, () => {
    assert.equal(loadOutput(`{name: es, retry_limit: ${text}}`).base.retry.maxAttempts, attempts);
  });
}

test('Retries are unlimited when the file says nothing.', () => {
  assert.equal(loadOutput('{name: es}').base.retry.maxAttempts, Number.POSITIVE_INFINITY);
});

test('Lists are taken as lists, as one value, or separated.', () => {
  assert.deepEqual(loadInput('{name: tail, path: "a, b,,c "}').options['path'], ['a', 'b', 'c']);
  assert.deepEqual(loadInput('{name: tail, path: [a, 5]}').options['path'], ['a', '5']);
  assert.deepEqual(loadOutput('{name: es, header: A b}').options['header'], ['A b']);
  assert.deepEqual(loadOutput('{name: es, header: [A b, C d]}').options['header'], ['A b', 'C d']);
});

test('A value of several forms keeps the one it is written in.', () => {
  assert.equal(loadFilter('{name: grep, regex: a}').options['regex'], 'a');
  assert.deepEqual(loadFilter('{name: grep, regex: [a, b]}').options['regex'], ['a', 'b']);
  assert.equal(loadFilter('{name: grep, level: HIGH}').options['level'], 'high');
  assert.equal(loadFilter('{name: grep, level: "5"}').options['level'], 5);
});

test('Outputs take what they do not say from the service.', () => {
  const service =
    '{flush: 3, storage.sync: normal, storage.path: /s, storage.total_limit_size: 7, dead_letter: {limit: 9, when_full: drop_oldest}, scheduler.base: 2, scheduler.cap: 4}';
  const { base } = loadOutput('{name: es, workers: 0, dead_letter.limit: 8}', service);
  assert.equal(base.flushMs, 3000);
  assert.equal(base.concurrency, 1);
  assert.deepEqual(base.storage, {
    type: 'memory',
    path: '/s',
    totalLimitBytes: 7,
    durability: 'os',
    whenFull: 'block',
  });
  assert.deepEqual(base.deadLetter, { limitBytes: 8, whenFull: 'drop_oldest' });
  assert.deepEqual([base.retry.initialMs, base.retry.maxMs], [2000, 4000]);
});

test('Components are known by their alias, or by name and count.', () => {
  const { config } = loadText(
    'pipeline:\n  inputs: [{name: stdin}, {name: STDIN, tag: x}, {name: stdin, alias: i}]\n  outputs: [{name: es}, {name: elasticsearch}, {name: null}]\n',
  );
  assert.deepEqual(
    config!.inputs.map(({ id }) => id),
    ['stdin.0', 'stdin.1', 'i'],
  );
  assert.deepEqual(
    config!.inputs.map(({ base }) => base.tag),
    ['stdin.0', 'x', 'stdin.2'],
  );
  assert.deepEqual(
    config!.outputs.map(({ id, plugin }) => [id, plugin]),
    [
      ['elasticsearch.0', 'elasticsearch'],
      ['elasticsearch.1', 'elasticsearch'],
      ['null.0', 'null'],
    ],
  );
});

const secretWays: readonly [string, string][] = [
  ['hunter2', 'hunter2'],
  ['1.10', '1.10'],
  ['${PASSWORD}', 'p$${x}'],
  ['{file: /etc/agent/secret}', 'from file'],
  ['{env: PASSWORD}', 'p$${x}'],
];

for (const [text, value] of secretWays) {
  test(`A secret written ${text} is read, and cannot be printed.`, () => {
    const { config, places } = loadText(
      `pipeline: {inputs: [{name: stdin}], outputs: [{name: es, http_passwd: ${text.startsWith('$') ? `"${text}"` : text}}]}`,
      {
        env: { PASSWORD: 'p$${x}' },
        access: {
          readFile: (path) => {
            if (path.replaceAll('\\', '/').endsWith('/etc/agent/secret')) return 'from file\n';
            return `pipeline: {inputs: [{name: stdin}], outputs: [{name: es, http_passwd: ${text.startsWith('$') ? `"${text}"` : text}}]}`;
          },
          fileMode: () => 0o600,
        },
      },
    );
    assert.deepEqual(places, []);
    const secret = config!.outputs[0]!.options['http_passwd'];
    assert.ok(secret instanceof Secret);
    assert.equal(secret.reveal(), value);
    const shown = [
      `${secret}`,
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
    ];
    for (const text of shown) assert.ok(!text.includes(value) && text.includes('[secret]'));
  });
}

test('A variable that stands alone takes the type that its option has.', () => {
  const filter = loadFilter('{name: "${F:grep}", level: "${LEVEL}", match: "${HOSTNAME}.*"}', {
    env: { LEVEL: '7' },
  });
  assert.deepEqual(
    [filter.plugin, filter.options['level'], filter.base.match],
    ['grep', 7, 'host-1.*'],
  );
});

test('Defaults are those of the schema.', () => {
  assert.deepEqual(loadInput('{name: tail, path: a}').options, {
    path: ['a'],
    key: 'log',
    read_from_head: false,
    refresh_interval: 60_000,
    buffer_max_size: 32_768,
  });
});

test('camelCase stands for dots as well as for underscores.', () => {
  const { storage } = loadOutput(
    '{name: es, alias: a, storageType: filesystem, storageTotalLimitSize: 1MB}',
  ).base;
  assert.deepEqual([storage.type, storage.totalLimitBytes], ['filesystem', 1e6]);
});

test('A key that is written again adds to an option that takes several values.', () => {
  const { options } = loadFilter("{name: grep, regex: 'a 1', regex: ['b 2', 'c 3'], Regex: 'd 4'}");
  assert.deepEqual(options['regex'], ['a 1', 'b 2', 'c 3', 'd 4']);
  assert.deepEqual(loadInput('{name: tail, path: a, path: b}').options['path'], ['a', 'b']);
});

test('A key that is written again is an error where the option takes one value.', () => {
  const { diagnostics } = loadText(
    'pipeline:\n  inputs: [{name: stdin}]\n  outputs: [{name: es, host: a, host: b}]\n',
  );
  assert.match(diagnostics[0]!.message, /"host" is written twice; the first is at 3:24/);
  assert.equal(diagnostics.length, 1);
});

test('A value whose variable is missing is told of once.', () => {
  const { diagnostics } = loadText(
    "pipeline:\n  inputs: [{name: tail, path: '${A_1}'}]\n  outputs: [{name: es, port: '${A_2}', host: '${', index: '${A_3}'}]\n",
  );
  assert.deepEqual(
    diagnostics.map(({ message }) => message),
    [
      'The variable "A_1" is not set and has no default.',
      'The variable "A_2" is not set and has no default.',
      'A ${ has no }.',
      'The variable "A_3" is not set and has no default.',
    ],
  );
});
