import assert from 'node:assert/strict';
import test from 'node:test';
import type { LoadOptions } from '../../../core/config/load.ts';
import { loadText } from './sample_plugins.ts';

/** A file around one entry, so that each case shows only what it is about. */
const input = (text: string) =>
  `pipeline:\n  inputs:\n    - ${text}\n  outputs:\n    - name: null\n`;
const filter = (text: string) =>
  `pipeline:\n  inputs: [{name: stdin}]\n  outputs: [{name: "null"}]\n  filters:\n    - ${text}\n`;
const output = (text: string) =>
  `pipeline:\n  inputs: [{name: stdin}]\n  outputs:\n    - ${text}\n`;
const service = (text: string) =>
  `service: ${text}\npipeline: {inputs: [{name: stdin}], outputs: [{name: "null"}]}\n`;

interface Case {
  readonly what: string;
  readonly text: string;
  readonly places: readonly string[];
  readonly expected?: string | RegExp;
  readonly nearest?: string;
  readonly code?: string;
  readonly path?: string;
  readonly options?: Partial<LoadOptions>;
}

const at = (place: string, message: string) => `main.yaml:${place}: error: ${message}`;

const cases: readonly Case[] = [
  {
    what: 'an unknown section',
    text: `servce: {}\n${service('{}')}`,
    places: [at('1:1', 'The option "servce" is unknown.')],
    nearest: 'service',
  },
  {
    what: "a key of Fluent Bit's that is not built",
    text: service('{streams_file: x}'),
    places: [
      at(
        '1:11',
        'The option "streams_file" of Fluent Bit is not built. There is no stream processor: use filters.',
      ),
    ],
  },
  {
    what: 'an unknown option of the service',
    text: service('{flsh: 1}'),
    places: [at('1:11', 'The option "flsh" is unknown.')],
    nearest: 'flush',
    path: 'service.flsh',
  },
  {
    what: 'an unknown option of a plugin',
    text: input('{name: stdin, tga: x}'),
    places: [at('3:21', 'The option "tga" is unknown.')],
    nearest: 'tag',
    path: 'pipeline.inputs[0].tga',
  },
  {
    what: 'an unknown option below an option',
    text: output('{name: es, retry: {backoff: {initail: 1s}}}'),
    places: [at('4:36', 'The option "initail" is unknown.')],
    nearest: 'initial',
  },
  {
    what: 'an unknown plugin',
    text: input('{name: tial, path: x}'),
    places: [at('3:14', 'There is no input "tial".')],
    nearest: 'tail',
    code: 'SLUICE_PLUGIN_UNKNOWN',
    path: 'pipeline.inputs[0].name',
  },
  {
    what: 'a plugin of another kind',
    text: output('{name: tail}'),
    places: [at('4:14', 'There is no output "tail"; it is an input.')],
    code: 'SLUICE_PLUGIN_UNKNOWN',
  },
  {
    what: 'a component without a name',
    text: filter('{match: x}'),
    places: [at('5:7', 'The option "name", which names a filter, is missing.')],
    expected: 'name: one of mutate, grep, date',
  },
  {
    what: 'a missing option',
    text: input('{name: tail}'),
    places: [at('3:7', 'The option "path" of "tail" is missing.')],
    expected: 'path: Files to read.',
  },
  {
    what: 'a text for a whole number',
    text: output('{name: es, port: abc}'),
    places: [at('4:24', '"port" "abc" has the wrong type.')],
    expected: 'a whole number',
  },
  {
    what: 'nothing for a whole number',
    text: output('\n      name: es\n      port:\n'),
    places: [at('6:12', '"port" (nothing) has the wrong type.')],
  },
  {
    what: 'a number out of bounds',
    text: output('{name: es, port: 70000}'),
    places: [at('4:24', '"port" 70000 is too large.')],
    expected: 'at most 65535',
  },
  {
    what: 'a value that is no choice',
    text: output('{name: es, compress: gzp}'),
    places: [at('4:28', '"compress" "gzp" is none of the choices.')],
    expected: 'one of gzip, none',
    nearest: 'gzip',
  },
  {
    what: 'a map for a text',
    text: input('{name: tail, path: x, key: {a: 1}}'),
    places: [at('3:34', '"key" (a map) has the wrong type.')],
    expected: 'a text',
  },
  {
    what: 'a scalar for a section',
    text: 'pipeline: 5\n',
    places: [
      at('1:1', 'The pipeline has no inputs.'),
      at('1:1', 'The pipeline has no outputs.'),
      at('1:11', '"pipeline" 5 has the wrong type.'),
    ],
  },
  {
    what: 'a wrong duration',
    text: service('{flush: 5 apples}'),
    places: [at('1:18', '"flush" "5 apples" is no duration.')],
    expected: /^a duration such as 500ms, 5s/,
  },
  {
    what: 'a duration that is too short',
    text: input('{name: tail, path: x, refresh_interval: 5ms}'),
    places: [at('3:47', '"refresh_interval" "5ms" is too small.')],
    expected: 'at least 10 ms',
  },
  {
    what: 'a wrong size',
    text: service('{memory_limit: 5x}'),
    places: [at('1:25', '"memory_limit" "5x" is no size.')],
  },
  {
    what: 'a wrong retry limit',
    text: output('{name: es, retry_limit: often}'),
    places: [at('4:31', '"retry_limit" "often" is no retry limit.')],
    expected: 'a whole number, no_limits or no_retries',
  },
  {
    what: 'a wrong alias',
    text: output('{name: es, alias: ../x}'),
    places: [at('4:25', '"alias" "../x" has the wrong form.')],
  },
  {
    what: 'a wrong condition',
    text: filter('{name: mutate, when: "level >"}'),
    places: [at('5:36', '"when" is wrong: The expression ends too early.')],
    expected: 'a field, a quoted string, a number or (',
    code: 'SLUICE_EXPRESSION_INVALID',
    path: 'pipeline.filters[0].when',
  },
  {
    what: 'a wrong condition over lines',
    text: filter('name: mutate\n      when: |\n        a == 1\n        and lenth(b) > 1\n'),
    places: [at('8:13', '"when" is wrong: There is no function "lenth".')],
  },
  {
    what: 'a wrong regular expression in a condition',
    text: filter('{name: mutate, when: "a =~ /(?/"}'),
    places: [
      at('5:35', '"when" is wrong: The regular expression (? is invalid: a group is not closed.'),
    ],
  },
  {
    what: 'a wrong condition inside a list',
    text: filter('{name: mutate, rules: [{if: "a"}, {if: "a ="}]}'),
    places: [at('5:49', '"if" is wrong: The expression has "=", which is no comparison.')],
    path: 'pipeline.filters[0].rules[1].if',
  },
  {
    what: 'a wrong field reference',
    text: filter('{name: mutate, remove: ["a", "[b"]}'),
    places: [at('5:37', '"remove" is wrong: The field reference has a [ without its ].')],
    expected: '] after the key',
  },
  {
    what: 'a wrong regular expression',
    text: output('{name: es, match_regex: "(?"}'),
    places: [
      at('4:31', '"match_regex" "(?" is no valid regular expression: a group is not closed.'),
    ],
    code: 'SLUICE_REGEX_INVALID',
  },
  {
    what: 'a wrong date format',
    text: filter('{name: date, formats: ["%Y", "%Q"]}'),
    places: [at('5:36', '"formats" "%Q" is no valid date format: %Q has no meaning.')],
    code: 'SLUICE_DATE_FORMAT_INVALID',
  },
  {
    what: 'an unknown time zone',
    text: filter('{name: date, timezone: Mars/Olympus}'),
    places: [at('5:30', '"timezone" "Mars/Olympus" is no time zone.')],
  },
  {
    what: 'a wrong template',
    text: output('{name: es, index: "logs-%{x"}'),
    places: [at('4:31', '"index" is wrong: The template has a %{ without its }.')],
  },
  {
    what: 'a value that fits no alternative',
    text: filter('{name: grep, regex: {a: 1}}'),
    places: [at('5:27', '"regex" (a map) has none of the accepted forms.')],
    expected: 'a text, or a list',
  },
  {
    what: 'a parser that is not defined',
    text: input('{name: tail, path: x, parser: apache}'),
    places: [at('3:37', 'The parser "apache" is not defined.')],
    nearest: 'apache2',
  },
  {
    what: 'a multiline parser that is not defined',
    text: input('{name: tail, path: x, multiline.parser: [java, rust]}'),
    places: [at('3:54', 'The multiline parser "rust" is not defined.')],
  },
  {
    what: 'one alias twice',
    text: output('{name: es, alias: a}\n    - {name: "null", alias: a}'),
    places: [at('5:29', 'The name "a" is that of another output, at main.yaml:4:25.')],
  },
  {
    what: 'one parser name twice',
    text: `parsers:\n  - {name: p, format: regex, regex: x}\n  - {name: p, format: regex, regex: x}\n${service('{}')}`,
    places: [at('3:12', 'The name "p" is that of another parser, at main.yaml:2:12.')],
  },
  {
    what: 'an unknown parser format',
    text: `parsers:\n  - {name: p, format: regx}\n${service('{}')}`,
    places: [at('2:23', 'There is no parser "regx".')],
    nearest: 'regex',
  },
  {
    what: 'filesystem storage without an alias',
    text: output('{name: es, storage.type: filesystem}'),
    places: [at('4:18', 'The output "elasticsearch" has filesystem storage and no "alias".')],
  },
  {
    what: 'a variable that is not set',
    text: output('{name: es, host: "a.${HOST}"}'),
    places: [at('4:27', 'The variable "HOST" is not set and has no default.')],
  },
  {
    what: 'a variable without quotes in flow style',
    text: output('{name: es, host: ${HOST}}'),
    places: [at('4:24', 'A variable inside {…} or […] needs quotes.')],
    expected: '"${NAME}", in quotes',
  },
  {
    what: 'nothing for a secret',
    text: output('{name: es, http_passwd: ~}'),
    places: [at('4:31', '"http_passwd" (nothing) has the wrong type.')],
    expected: 'a text, {file: path} or {env: NAME}',
  },
  {
    what: 'one option in two spellings',
    text: input('{name: tail, path: x, read_from_head: on, readFromHead: off}'),
    places: [
      at(
        '3:49',
        'The option "read_from_head" is written twice; the first is at 3:29, as "read_from_head".',
      ),
    ],
  },
  {
    what: 'what a plugin itself refuses',
    text: output('{name: es, data_stream: x, header: [a b]}'),
    places: [at('4:43', 'A data stream takes no header.')],
    code: 'SLUICE_OPTION_INVALID',
    path: 'pipeline.outputs[0].header[0]',
  },
  {
    what: 'a number that cannot be kept',
    text: filter('{name: mutate, set: {id: 12345678901234567890}}'),
    places: [at('5:32', 'The number 12345678901234567890 cannot be kept exactly.')],
    expected: 'quotes around it, to keep it as a text',
  },
  {
    what: 'a pipeline without outputs',
    text: 'pipeline:\n  inputs: [{name: stdin}]\n',
    places: [at('1:1', 'The pipeline has no outputs.')],
  },
  {
    what: 'an empty file',
    text: '# nothing\n',
    places: ['main.yaml:0:0: error: The pipeline file is empty.'],
  },
  {
    what: 'a file that is a list',
    text: '- a\n',
    places: [at('1:1', 'The file is no map of sections.')],
  },
];

for (const { what, text, places, expected, nearest, code, path, options } of cases) {
  test(`A file with ${what} is refused at its place.`, () => {
    const loaded = loadText(text, options);
    assert.deepEqual(loaded.places, places);
    assert.equal(loaded.config, undefined);
    const last = loaded.diagnostics.at(-1)!;
    if (expected instanceof RegExp) assert.match(last.expected ?? '', expected);
    else if (expected !== undefined) assert.equal(last.expected, expected);
    if (nearest !== undefined) assert.equal(last.nearest, nearest);
    if (path !== undefined) assert.equal(last.path, path);
    if (code !== undefined) assert.equal(last.code, code);
  });
}

test('All errors of a file are reported at once, in its order.', () => {
  const { places } = loadText(
    [
      'service: {flush: x}',
      'pipeline:',
      '  inputs: [{name: tail, paths: x}]',
      '  filters: [{name: mutate, when: "a ="}]',
      '  outputs: [{name: ess}, {name: es, storage.type: filesystem, port: a}]',
      'pipelines: {}',
      '',
    ].join('\n'),
  );
  assert.deepEqual(
    places.map((place) => place.split(' ')[0]),
    ['1:18', '3:12', '3:25', '4:37', '5:20', '5:69', '6:1'].map((place) => `main.yaml:${place}:`),
  );
});

test('Options without effect are accepted with a warning.', () => {
  const { config, places } = loadText(
    input('{name: stdin, threaded: on, storage.type: filesystem}'),
  );
  assert.ok(config);
  assert.deepEqual(places, [
    'main.yaml:3:21: warning: The option "threaded" has no effect. Inputs share one thread.',
    'main.yaml:3:35: warning: The option "storage.type" has no effect. Buffers belong to outputs: set `storage.type` there, or in `service`.',
  ]);
});

test('A plugin with a broken schema is a bug, said so.', () => {
  const schema = { type: 'object', properties: { a: { typ: 'string' } } } as object;
  const broken = { kind: 'input' as const, name: 'broken', summary: 'Is broken.', schema };
  assert.throws(() => loadText(input('{name: broken}'), { plugins: [broken] }), {
    code: 'SLUICE_BUG',
  });
});
