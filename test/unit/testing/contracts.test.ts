import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonRecordEncoder } from '../../../core/batch/record_encoder.ts';
import type { BatchFilter, Input, Output } from '../../../core/sdk/contracts.ts';
import {
  type AnyPlugin,
  defineFilter,
  defineInput,
  defineOutput,
} from '../../../core/sdk/define.ts';
import {
  type ContractRule,
  ContractSubject,
  filterContract,
  inputContract,
  outputContract,
} from '../../../core/testing/index.ts';

const schema = { type: 'object', properties: {} } as const;
const example = `pipeline:
  inputs:
    - name: probe
  filters:
    - name: probe
      match: '*'
  outputs:
    - name: probe
      match: '*'
`;
const facts = {
  name: 'probe',
  summary: 'Shows what a contract notices.',
  stability: 'experimental',
  schema,
  example,
} as const;

const goodInput: Input = {
  run: (_emitter, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    }),
};

interface Parts {
  readonly makeInput?: () => Input;
  readonly makeFilter?: () => BatchFilter;
  readonly makeOutput?: () => Output;
}

function makeOutput(): Output {
  const encoder = new JsonRecordEncoder({ fingerprint: 'probe', kernel: undefined });
  return { encoder, deliver: async () => ({ kind: 'accepted' }) };
}

/** Puts parts to the contract of a kind; gives the rules that they break. */
async function brokenRules(
  kind: AnyPlugin['kind'],
  contract: readonly ContractRule[],
  parts: Parts,
): Promise<string[]> {
  const { makeInput = () => goodInput, makeFilter = () => ({ process() {} }) } = parts;
  // The registry's type holds plugins of every option type.
  const plugins = [
    defineInput({ ...facts, create: makeInput }),
    defineFilter({ ...facts, create: makeFilter }),
    defineOutput({ ...facts, create: parts.makeOutput ?? makeOutput }),
  ] as unknown as AnyPlugin[];
  const subject = new ContractSubject(plugins.find((one) => one.kind === kind)!, { plugins });
  const broken: string[] = [];
  for (const rule of contract) {
    try {
      await rule.check(subject);
    } catch {
      broken.push(rule.says);
    }
  }
  return broken;
}

const filters: readonly [what: string, rule: RegExp | undefined, make: () => BatchFilter][] = [
  ['that does nothing', undefined, () => ({ process() {} })],
  [
    'that touches what is not selected',
    /leaves events alone/,
    () => ({
      process(batch) {
        for (let i = 0; i < batch.count; i++) batch.addMark(i, 'mark');
      },
    }),
  ],
  [
    'that throws',
    /never throws/,
    () => ({
      process() {
        throw new Error('no');
      },
    }),
  ],
  [
    'that leaves broken JSON',
    /keeps events valid/,
    () => ({
      process(batch) {
        for (let i = 0; i < batch.count; i++) {
          if (batch.select[i] === 1) batch.replaceRoot(i, Buffer.from('{"a":}'));
        }
      },
    }),
  ],
  [
    'that starts a timer in create',
    /no I\/O/,
    () => {
      const timer = setInterval(() => undefined, 1000);
      return {
        process() {},
        close: async () => clearInterval(timer),
      };
    },
  ],
  [
    'that cannot be closed twice',
    /closes/,
    () => {
      let closed = false;
      return {
        process() {},
        async close() {
          if (closed) throw new Error('closed');
          closed = true;
        },
      };
    },
  ],
];

describe('the contract of filters', () => {
  for (const [what, rule, make] of filters) {
    it(`${rule === undefined ? 'takes' : 'notices'} one ${what}`, async () => {
      const broken = await brokenRules('filter', filterContract, { makeFilter: make });
      if (rule === undefined) assert.deepEqual(broken, []);
      else
        assert.ok(
          broken.some((says) => rule.test(says)),
          broken.join('; '),
        );
    });
  }
});

describe('the contract of inputs', () => {
  it('takes one that ends when asked', async () => {
    assert.deepEqual(await brokenRules('input', inputContract, {}), []);
  });
});

describe('the contract of outputs', () => {
  it('takes one that encodes each event', async () => {
    assert.deepEqual(await brokenRules('output', outputContract, {}), []);
  });

  it('notices one that leaves events out', async () => {
    const broken = await brokenRules('output', outputContract, {
      makeOutput: () => {
        const output = makeOutput();
        const { encoder } = output;
        return {
          ...output,
          encoder: {
            fingerprint: 'probe',
            encode(batch, select, sink) {
              const fewer = Uint8Array.from(select);
              fewer[1] = 0;
              encoder.encode(batch, fewer, sink);
            },
            recordJson: (record) => encoder.recordJson(record),
          },
        };
      },
    });
    assert.ok(
      broken.some((says) => /encodes each/.test(says)),
      broken.join('; '),
    );
  });
});
