import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  classify,
  type Column,
  type ColumnType,
  fits,
  typeFor,
  widerType,
} from '../../../plugins/outputs/duckdb/column.ts';
import { eventJson } from '../../../plugins/outputs/duckdb/wire_record.ts';

const classes: [string, string][] = [
  ['"x"', 'text'],
  ['0', 'integer'],
  ['-12', 'integer'],
  ['9223372036854775807', 'integer'],
  ['-9223372036854775808', 'integer'],
  ['9223372036854775808', 'huge'],
  ['-9223372036854775809', 'huge'],
  ['1'.repeat(5000), 'huge'],
  ['1.0', 'decimal'],
  ['1e3', 'decimal'],
  ['1E400', 'huge'],
  ['true', 'boolean'],
  ['false', 'boolean'],
  ['null', 'null'],
  ['{"a":1}', 'nested'],
  ['[]', 'nested'],
];
for (const [json, expected] of classes) {
  test(`${json.slice(0, 30)} is classed as ${expected}`, () => {
    const bytes = Buffer.from(` ${json} `);
    assert.equal(classify(bytes, 1, bytes.length - 1), expected);
  });
}

function column(type: ColumnType, declared: boolean): Column {
  return { name: 'c', type, keys: ['c'], wireKey: 'c', wireKeyBytes: Buffer.from('c'), declared };
}

const fitting: [ColumnType, boolean, string[], string[]][] = [
  ['VARCHAR', false, ['"x"', '1', '{}', 'null'], []],
  ['JSON', false, ['"x"', '1', '{}', 'null'], []],
  ['BIGINT', false, ['1', 'null', '-9223372036854775808'], ['1.0', '"1"', 'true', '[1]']],
  ['BIGINT', true, ['1', '"1"', '"+1"'], ['"x"', '"1.5"', '""', '"9223372036854775808"', '1.5']],
  ['INTEGER', true, ['2147483647', '"-2147483648"'], ['2147483648', '"2147483648"']],
  ['DOUBLE', false, ['1.5', '9007199254740991'], ['9007199254740993', '"1.5"', '1e999']],
  ['DOUBLE', true, ['9007199254740993', '"1.5"', '".5e-3"'], ['"1,5"', '"NaN"']],
  ['BOOLEAN', false, ['true'], ['"true"', '1']],
  ['BOOLEAN', true, ['"false"'], ['"yes"', '0']],
  [
    'TIMESTAMP_NS',
    false,
    ['"1678-01-01T00:00:00Z"', '"2261-12-31T00:00:00Z"'],
    ['"2262-01-01T00:00:00Z"', '1'],
  ],
  ['TIMESTAMP', true, ['"2026-01-02"', '"2026-01-02 03:04:05.123+02:00"'], ['"now"', '1767323045']],
  ['DATE', true, ['"2026-01-02"'], ['"2026-01-02T00:00:00Z"']],
  ['UUID', true, ['"6f1c1a34-5b1e-4d0a-9a9b-0123456789ab"'], ['"6f1c"']],
];
for (const [type, declared, yes, no] of fitting) {
  test(`${declared ? 'a declared' : 'an inferred'} ${type} column takes what it can keep`, () => {
    const tried = column(type, declared);
    const answer = (json: string) => fits(tried, Buffer.from(json), 0, Buffer.byteLength(json));
    for (const json of yes) assert.equal(answer(json), true, json);
    for (const json of no) assert.equal(answer(json), false, json);
  });
}

test('the wider of two types holds the values of both, whichever comes first', () => {
  const cases: [ColumnType, ColumnType, ColumnType][] = [
    ['BIGINT', 'BIGINT', 'BIGINT'],
    ['BIGINT', 'DOUBLE', 'DOUBLE'],
    ['BIGINT', 'VARCHAR', 'VARCHAR'],
    ['BOOLEAN', 'DOUBLE', 'VARCHAR'],
    ['VARCHAR', 'JSON', 'JSON'],
  ];
  for (const [one, other, expected] of cases) {
    assert.equal(widerType(one, other), expected);
    assert.equal(widerType(other, one), expected);
  }
  assert.equal(typeFor('null'), undefined);
  assert.equal(typeFor('huge'), 'VARCHAR');
});

test('only the time that the encoder added is cut off an event', () => {
  const time = '"_sluice_time":"2026-01-02T03:04:05.123456789Z"';
  const cases: [string, string][] = [
    [`{"a":1,${time}}`, '{"a":1}'],
    [`{${time}}`, '{}'],
    [`{"a":"x,\\"_sluice_time\\":\\"2026\\"}"}`, `{"a":"x,\\"_sluice_time\\":\\"2026\\"}"}`],
  ];
  for (const [record, event] of cases) {
    assert.equal(eventJson(Buffer.from(`${record}\u001e`), false), event);
    assert.equal(eventJson(Buffer.from(`{"i":"ID","r":${record}}\u001e`), true), event);
  }
});
