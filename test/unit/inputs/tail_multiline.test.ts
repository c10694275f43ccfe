import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { MultilineDefinition, Parser } from '../../../core/sdk/index.ts';
import { inPlace } from './tail_harness.ts';

const dated: MultilineDefinition = {
  name: 'dated',
  type: 'regex',
  flushTimeoutMs: 400,
  rules: [
    { state: 'start_state', regex: '/^\\d+ /', nextState: 'cont' },
    { state: 'cont', regex: '/^ /', nextState: 'cont' },
  ],
};
const surroundings = { multilineRules: () => dated };
const options = { 'multiline.parser': ['dated'] };
const record = (n: number, lines = 3) =>
  [`${n} begins`, ...Array.from({ length: lines - 1 }, (_, i) => ` ${n}.${i}`)].join('\n');

describe('tail with multiline', { concurrency: 4 }, () => {
  it('joins lines across blocks and batches', () =>
    inPlace(async (place) => {
      const records = Array.from({ length: 40_000 }, (_, i) => record(i, 1 + (i % 5)));
      place.write('a.log', `${records.join('\n')}\n`);
      const run = await place.readAll(options, { ...surroundings, eventsMax: 100 });
      assert.deepEqual(run.lines, records);
      let at = 0;
      for (const sent of run.sent) {
        assert.equal(sent.offset, at);
        at = sent.offsetEnd;
      }
    }));

  it('passes the last record on after its timeout', () =>
    inPlace(async (place) => {
      place.write('a.log', `${record(1)}\n${record(2)}\n`);
      const run = place.run(options, surroundings);
      await run.until(() => run.sent.length === 1);
      await run.until(() => run.sent.length === 2);
      assert.deepEqual(run.lines, [record(1), record(2)]);
    }));

  it('passes the last record on when it is stopped', () =>
    inPlace(async (place) => {
      place.write('a.log', `${record(1)}\n${record(2)}\n`);
      const run = place.run(options, {
        multilineRules: () => ({ ...dated, flushTimeoutMs: 60_000 }),
      });
      await run.until(() => run.sent.length === 1);
      await run.stop();
      assert.deepEqual(run.lines, [record(1), record(2)]);
    }));

  it('puts a record that a crash cut together again', () =>
    inPlace(async (place) => {
      const patient = { multilineRules: () => ({ ...dated, flushTimeoutMs: 60_000 }) };
      place.write('a.log', `${record(1)}\n2 begins\n 2.0\n`);
      const run = place.run(options, patient);
      await run.until(() => run.sent.length === 1);
      await run.save();
      await run.kill();
      place.append('a.log', ' 2.1\n');
      const next = await place.readAll(options, patient);
      assert.deepEqual(next.lines, [record(2)]);
    }));

  it('puts a record together that ends behind a rotation within the same file', () =>
    inPlace(async (place) => {
      place.write('a.log', '1 begins\n');
      const run = place.run(options, surroundings);
      await run.until(() => place.checkpoints.stored.size === 1);
      renameSync(place.at('a.log'), place.at('a.1'));
      place.append('a.1', ' 1.0\n 1.1\n');
      await run.until(() => run.sent.length > 0);
      assert.equal(run.lines.join('\n'), record(1));
    }));

  it('does not settle what it holds while other streams go on', () =>
    inPlace(async (place) => {
      const cri = (stream: string, mark: string, text: string) =>
        `2024-05-01T10:00:00.5Z ${stream} ${mark} ${text}\n`;
      place.write('a.log', cri('stdout', 'P', 'held ') + cri('stderr', 'F', 'whole'));
      const container = { 'multiline.parser': ['docker', 'cri'] };
      const run = place.run(container);
      await run.until(() => run.sent.length === 1);
      await run.save();
      await run.kill();
      place.append('a.log', cri('stdout', 'F', 'rest'));
      const next = await place.readAll(container);
      assert.deepEqual(
        next.sent.map((sent) => sent.record),
        [
          { time: '2024-05-01T10:00:00.5Z', stream: 'stderr', _p: 'F', log: 'whole' },
          { time: '2024-05-01T10:00:00.5Z', stream: 'stdout', _p: 'P', log: 'held rest' },
        ],
      );
      const first = next.sent[1]!;
      assert.deepEqual([first.seconds, first.nanos], [Date.UTC(2024, 4, 1, 10) / 1000, 5e8]);
      assert.equal(next.sent[0]!.offset, run.sent[0]!.offset);
    }));

  it("gives Docker's objects as they are, joined where they were cut", () =>
    inPlace(async (place) => {
      const line = (log: string) =>
        `${JSON.stringify({ log, stream: 'stdout', time: '2024-05-01T10:00:00Z', attrs: { a: 1 } })}\n`;
      place.write('a.log', line('one\n') + line('two ') + line('three\n'));
      const run = await place.readAll({ docker_mode: true, path_key: 'file' });
      const rest = { stream: 'stdout', time: '2024-05-01T10:00:00Z', attrs: { a: 1 } };
      const file = place.at('a.log');
      assert.deepEqual(
        run.sent.map((sent) => sent.record),
        [
          { log: 'one\n', ...rest, file },
          { log: 'two three\n', ...rest, file },
        ],
      );
    }));

  it('begins records at lines that a parser understands', () =>
    inPlace(async (place) => {
      const parser: Parser = {
        name: 'first',
        parse(text, into) {
          const match = /^\[(\w+)\] (.*)$/.exec(text);
          if (match === null) return false;
          into.set('level', match[1]);
          into.set('message', match[2]);
          return true;
        },
      };
      place.write('a.log', 'stray\n[INFO] one\n more\n[WARN] two\n');
      const run = await place.readAll(
        { multiline: true, parser_firstline: 'first' },
        { parser: () => parser },
      );
      assert.deepEqual(
        run.sent.map((sent) => sent.record),
        [
          { log: 'stray' },
          { level: 'INFO', message: 'one\n more' },
          { level: 'WARN', message: 'two' },
        ],
      );
    }));

  it('cuts a record at the limit, counts it and loses nothing', () =>
    inPlace(async (place) => {
      place.write('a.log', `1 begins\n${' continues here\n'.repeat(200)}`);
      const run = await place.readAll({ ...options, multiline_buffer_limit: 1024 }, surroundings);
      assert.equal(run.lines.join('\n'), `1 begins\n${' continues here\n'.repeat(200)}`.trimEnd());
      assert.ok(run.counter('sluice_tail_multiline_limit_total') >= 2);
    }));
});

describe('tail with a parser', () => {
  it('replaces the line by its fields, and keeps a line that it does not understand', () =>
    inPlace(async (place) => {
      const parser: Parser = {
        name: 'pair',
        parse(text, into) {
          const [key, value] = text.split('=');
          if (value === undefined) return false;
          into.set(key!, value);
          into.set('length', value.length);
          return true;
        },
      };
      place.write('a.log', 'a=one\nnothing\n');
      const run = await place.readAll(
        { parser: 'pair', offset_key: 'at' },
        { parser: () => parser },
      );
      assert.deepEqual(
        run.sent.map((sent) => sent.record),
        [
          { a: 'one', length: 3, at: 0 },
          { log: 'nothing', at: 6 },
        ],
      );
    }));
});
