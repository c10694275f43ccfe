import assert from 'node:assert/strict';
import test from 'node:test';
import {
  diagnosticAt,
  diagnosticToJson,
  formatDiagnostic,
  withFrames,
} from '../../../core/config/diagnostic.ts';
import { editDistance, nearest } from '../../../core/config/nearest.ts';
import { loadText } from './sample_plugins.ts';

test('A diagnostic shows its place, the lines around, a caret, what was expected and the nearest name.', () => {
  const { diagnostics } = loadText(
    'pipeline:\n  inputs:\n    - name: tail\n      paht: x\n      path: y\n  outputs: [{name: null}]\n',
  );
  assert.equal(
    formatDiagnostic(diagnostics[0]!),
    [
      'main.yaml:4:7: error: The option "paht" is unknown.',
      '  2 |   inputs:',
      '  3 |     - name: tail',
      '> 4 |       paht: x',
      '    |       ^',
      '  5 |       path: y',
      '  6 |   outputs: [{name: null}]',
      '  expected one of alias, tag, mem_buf_limit, log_level, processors, routes, path, exclude_path, key, read_from_head, refresh_interval, buffer_max_size, … (17 in all)',
      '  did you mean "path"?',
    ].join('\n'),
  );
  assert.deepEqual(Object.keys(diagnosticToJson(diagnostics[0]!)).sort(), [
    ...['code', 'column', 'expected', 'file', 'line', 'message', 'nearest', 'path', 'severity'],
  ]);
});

test('Code frames show no secret, whether the schema is known or the file is broken.', () => {
  const texts = [
    'service:\n  http_token: hunter2\n  flsh: 1\npipeline: {inputs: [{name: stdin}], outputs: [{name: null}]}\n',
    'pipeline:\n  inputs: [{name: stdin}]\n  outputs:\n    - {name: es, http_passwd: hunter2, prt: 1}\n',
    'pipeline:\n  inputs: [{name: stdin}]\n  outputs:\n    - name: es\n      HttpPasswd: x\n      http_passwd: |\n        hunter2\n      prt: 1\n',
    'service: {http_token: hunter2, flush: }}\n',
    'a: {api_key: "hunter2"\nb: "x\n',
  ];
  for (const text of texts) {
    const { diagnostics } = loadText(text);
    assert.ok(diagnostics.length > 0);
    for (const diagnostic of diagnostics) {
      assert.doesNotMatch(formatDiagnostic(diagnostic), /hunter2/, text);
    }
  }
});

test('A message does not repeat what a variable gave.', () => {
  const { diagnostics } = loadText(
    'pipeline: {inputs: [{name: stdin}], outputs: [{name: es, port: "${PASSWORD}"}]}\n',
    { env: { PASSWORD: 'hunter2' } },
  );
  assert.match(formatDiagnostic(diagnostics[0]!), /"port" \(from a variable\) has the wrong type/);
  assert.doesNotMatch(JSON.stringify(diagnostics), /hunter2/);
});

test('The number of diagnostics is bounded, and the rest is counted.', () => {
  const lines = Array.from({ length: 300 }, (_, index) => `x${index}: 1`);
  const { diagnostics } = loadText(`${lines.join('\n')}\n`);
  assert.equal(diagnostics.length, 51);
  assert.match(diagnostics.at(-1)!.message, /There are 252 more problems/);
});

test('The nearest name is near.', () => {
  const names = ['storage.type', 'flush', 'grace', 'buffer_max_size'];
  assert.equal(nearest('flsuh', names), 'flush');
  assert.equal(nearest('bufferMaxSiez', names), 'buffer_max_size');
  assert.equal(nearest('storage-type', names), 'storage.type');
  assert.equal(nearest('zzz', names), undefined);
  assert.equal(editDistance('ab', 'ba'), 1);
  assert.equal(editDistance('', 'abc'), 3);
});

test('Passwords in addresses and in headers are masked in code frames.', () => {
  const text = [
    "host: 'https://user:hunter2@search:9200'",
    "header: ['Authorization Bearer hunter2', 'X-Api-Key hunter2', 'Accept text/plain']",
    'port: nine',
  ].join('\n');
  const [framed] = withFrames(
    [diagnosticAt({ file: 'p.yaml', line: 2, column: 1 }, 'Wrong.')],
    new Map([['p.yaml', text]]),
  );
  assert.deepEqual(framed!.frame!.lines, [
    "host: 'https://***@search:9200'",
    "header: ['Authorization ***', 'X-Api-Key ***', 'Accept text/plain']",
    'port: nine',
  ]);
});
