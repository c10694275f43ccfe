import assert from 'node:assert/strict';
import type { Batch } from '../batch/batch.ts';
import type { Log } from '../sdk/contracts.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Condition } from '../topology/condition.ts';
import { type DerivedBatch, FilterStage } from '../topology/filter_stage.ts';
import { TagMatcher, wildcardMatcher } from '../topology/tag_matcher.ts';
import { assertConservation } from './conservation.ts';
import type { ContractRule, ContractSubject } from './contract_subject.ts';
import { componentOf, lifeContract, pluginContract, soon } from './plugin_contract.ts';
import { eventObject, eventText, namesIn, randomBatch } from './random_events.ts';

const wanted = 'wanted';
const other = 'other';

/** What every filter must pass: `check` each rule with a `ContractSubject`. */
export const filterContract: readonly ContractRule[] = [
  ...pluginContract,
  ...lifeContract,
  {
    says: 'takes an empty batch',
    check: (subject) =>
      withFilter(subject, async (run) => {
        await run.process(batchOf(subject, 0, [wanted]));
        run.end();
      }),
  },
  {
    says: 'changes nothing in a batch of which nothing is selected',
    check: (subject) =>
      withFilter(subject, async (run) => {
        const batch = batchOf(subject, 40, [other]);
        const before = textsOf(batch);
        batch.select.fill(0, 0, batch.count);
        const { filter } = run.stage;
        const refuse = () => assert.fail('The filter made events of none.');
        if ('process' in filter) await filter.process(batch, { derive: refuse, forward: refuse });
        assert.deepEqual(textsOf(batch), before);
      }),
  },
  {
    says: 'leaves events alone that are not selected',
    check: (subject) =>
      withFilter(subject, async (run) => {
        const batch = batchOf(subject, 60, [wanted, other]);
        const before = textsOf(batch);
        await run.process(batch);
        const after = textsOf(batch);
        for (let i = 1; i < batch.count; i += 2) assert.equal(after[i], before[i]);
        run.end();
      }),
  },
  {
    says: 'never throws, keeps events valid and counts each, whatever comes',
    check: (subject) =>
      withFilter(subject, async (run) => {
        for (let seed = 1; seed <= 6; seed++) {
          // Every other batch is not in the kernel's memory, as derived ones.
          const kernel = seed % 2 === 0 ? undefined : subject.kernel;
          const keys = namesIn(componentOf(subject, 'filter').options);
          const batch = randomBatch({ seed, count: 60, tags: [wanted], keys, kernel });
          await run.process(batch);
          for (const one of [batch, ...run.derived.map(({ batch: made }) => made)]) {
            for (let i = 0; i < one.count; i++) if (one.dropped[i] === 0) eventObject(one, i);
          }
          run.count(batch);
        }
        run.end();
      }),
  },
  {
    says: 'works on when another instance was closed',
    check: (subject) =>
      withFilter(subject, async (run) => {
        await withFilter(subject, async (first) => {
          await first.process(batchOf(subject, 10, [wanted]));
        });
        await run.process(batchOf(subject, 10, [wanted]));
        run.end();
      }),
  },
];

/** One instance behind the stage that the engine puts it in. */
class FilterRun {
  readonly stage: FilterStage;
  derived: DerivedBatch[] = [];
  private readonly metrics: Metrics;
  private readonly complaints: string[] = [];
  private left = 0;

  constructor(subject: ContractSubject) {
    const component = componentOf(subject, 'filter');
    const { factory, metrics } = subject.makeFactory();
    this.metrics = metrics;
    const complain: Log['error'] = (fields, message) => {
      this.complaints.push(`${message} ${JSON.stringify(fields)}`);
    };
    this.stage = new FilterStage({
      id: component.id,
      filter: factory.filter(component),
      condition: new Condition(new TagMatcher(wildcardMatcher(wanted)), undefined),
      view: factory.eventView(),
      metrics: metrics.forComponent('filter', component.id),
      log: { error: complain, warn: complain, info: () => undefined, debug: () => undefined },
    });
  }

  async process(batch: Batch): Promise<void> {
    this.derived = [];
    await soon('A batch', Promise.resolve(this.stage.process(batch, this.derived)));
    assert.deepEqual(this.complaints, []);
  }

  /** Counts what is left of a batch whose events were all selected. */
  count(batch: Batch): void {
    for (let i = 0; i < batch.count; i++) if (batch.dropped[i] === 0) this.left++;
    for (const { batch: made } of this.derived) this.left += made.count;
    assert.equal(
      this.stage.counters.out.value,
      this.left,
      'Events are left that were not counted.',
    );
  }

  end(): void {
    assertConservation(this.metrics, { drained: true });
  }
}

async function withFilter(
  subject: ContractSubject,
  work: (run: FilterRun) => Promise<void>,
): Promise<void> {
  const run = new FilterRun(subject);
  const { filter } = run.stage;
  try {
    await filter.open?.();
    await work(run);
  } finally {
    await filter.close?.();
  }
}

function batchOf(subject: ContractSubject, count: number, tags: readonly string[]): Batch {
  const keys = namesIn(componentOf(subject, 'filter').options);
  return randomBatch({ seed: 42, count, tags, keys, kernel: subject.kernel });
}

function textsOf(batch: Batch): string[] {
  return Array.from({ length: batch.count }, (_, index) => eventText(batch, index));
}
