import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DiskBuffer } from '../../../core/buffer/disk_buffer.ts';
import { SluiceError } from '../../../core/errors/sluice_error.ts';
import { ManualTimers, openInMemory, segmentPaths } from './buffer_fixture.ts';
import { MemoryFileSystem, systemError } from './memory_file_system.ts';

type Step =
  | { readonly do: 'append'; readonly bytes: number }
  | { readonly do: 'append_many'; readonly count: number }
  | { readonly do: 'acknowledge'; readonly pick: number }
  | { readonly do: 'flush' }
  | { readonly do: 'kill' }
  | { readonly do: 'power_loss' }
  | { readonly do: 'close' }
  | { readonly do: 'cut_tail'; readonly bytes: number }
  | { readonly do: 'flip'; readonly at: number; readonly bit: number }
  | { readonly do: 'fail_sync' }
  | { readonly do: 'fill_disk'; readonly bytesFree: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('append'), bytes: fc.nat(3000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('append_many'), count: fc.nat(10) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('acknowledge'), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('power_loss') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut_tail'), bytes: fc.nat(200) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('flip'), at: fc.nat(), bit: fc.nat(7) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail_sync') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fill_disk'), bytesFree: fc.nat(4000) }) },
) as fc.Arbitrary<Step>;

/** What the buffer must hold, kept beside it. Chunks are known by their content, a number first. */
class Model {
  fileSystem = new MemoryFileSystem();
  timers = new ManualTimers();
  readonly stored = new Set<number>();
  readonly settled = new Set<number>();
  /** Settled before the last flush: never to be seen again. */
  readonly settledDurably = new Set<number>();
  damaged = false;
  quarantined = 0;
  next = 0;
  buffer!: DiskBuffer;

  async open(fileSystem: MemoryFileSystem): Promise<void> {
    fileSystem.fault = undefined;
    fileSystem.bytesFree = Number.POSITIVE_INFINITY;
    this.fileSystem = fileSystem;
    this.timers = new ManualTimers();
    this.buffer = await openInMemory(fileSystem, {
      segmentBytes: 6000,
      schedule: this.timers.schedule,
      onQuarantine: () => this.quarantined++,
    });
    await this.check();
  }

  async append(bytes: number): Promise<void> {
    const number = this.next++;
    const body = Buffer.from(`${number} ${'x'.repeat(bytes)}`);
    try {
      const outcome = await this.buffer.append(Buffer.from(String(number)), body);
      if (outcome.kind === 'stored') this.stored.add(number);
    } catch (error) {
      assert.ok(error instanceof SluiceError && error.code === 'SLUICE_STORAGE_FAILED');
      assert.ok(this.fileSystem.fault !== undefined || this.fileSystem.bytesFree < 1e9);
    }
  }

  async acknowledge(pick: number): Promise<void> {
    const pending = this.buffer.pendingSequences();
    if (pending.length === 0) return;
    const sequence = pending[pick % pending.length]!;
    let number: number;
    try {
      number = Number((await this.buffer.read(sequence))!.header.toString());
    } catch {
      return;
    }
    assert.equal(this.buffer.acknowledge(sequence), true);
    this.settled.add(number);
  }

  async flush(): Promise<void> {
    const settled = [...this.settled];
    this.timers.fire();
    await settle();
    const failing = this.fileSystem.fault !== undefined || this.fileSystem.bytesFree < 1e9;
    if (!failing) for (const number of settled) this.settledDurably.add(number);
  }

  /** The laws: nothing stored is lost in silence, nothing settled for sure comes back. */
  async check(): Promise<void> {
    const found = new Set<number>();
    for (const sequence of this.buffer.pendingSequences()) {
      try {
        const { header, body } = (await this.buffer.read(sequence))!;
        const number = Number(header.toString());
        assert.ok(body.toString().startsWith(`${number} `));
        assert.ok(!found.has(number), `chunk ${number} twice`);
        found.add(number);
      } catch (error) {
        assert.ok(error instanceof SluiceError && error.code === 'SLUICE_STORAGE_DAMAGED');
      }
    }
    for (const number of found) {
      // Acknowledged, but a crash came before that was noted: it is delivered again.
      this.settled.delete(number);
      assert.ok(this.stored.has(number), `chunk ${number} was never stored`);
      assert.ok(!this.settledDurably.has(number) || this.damaged, `chunk ${number} came back`);
    }
    for (const number of this.stored) {
      if (this.settled.has(number) || found.has(number)) continue;
      assert.ok(this.damaged, `chunk ${number} is lost`);
      this.stored.delete(number);
    }
  }

  damage(change: (content: { bytes: Buffer; synced: Buffer }) => void, pick: number): void {
    const paths = segmentPaths(this.fileSystem);
    if (paths.length === 0) return;
    const content = this.fileSystem.files.get(paths[pick % paths.length]!)!;
    if (content.bytes.length === 0) return;
    this.damaged = true;
    change(content);
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => {
    let turns = 8;
    const turn = () => (turns-- > 0 ? setImmediate(turn) : resolve());
    turn();
  });
}

async function run(model: Model, step: Step): Promise<void> {
  switch (step.do) {
    case 'append':
      return model.append(step.bytes);
    case 'append_many':
      await Promise.all(
        Array.from({ length: step.count }, (_, index) => model.append(index * 100)),
      );
      return;
    case 'acknowledge':
      return model.acknowledge(step.pick);
    case 'flush':
      return model.flush();
    case 'kill':
      return model.open(model.fileSystem.copy());
    case 'power_loss':
      return model.open(model.fileSystem.copyOfSynced());
    case 'close':
      await model.buffer.close().catch(() => undefined);
      return model.open(model.fileSystem.copy());
    case 'cut_tail':
      model.damage((content) => {
        content.bytes = content.bytes.subarray(0, Math.max(0, content.bytes.length - step.bytes));
      }, -1 >>> 0);
      return model.open(model.fileSystem.copy());
    case 'flip':
      model.damage((content) => {
        content.bytes[step.at % content.bytes.length]! ^= 1 << step.bit;
      }, step.at);
      return model.open(model.fileSystem.copy());
    case 'fail_sync':
      model.fileSystem.fault = (operation) => {
        if (operation === 'sync') throw systemError('EIO');
      };
      return;
    case 'fill_disk':
      model.fileSystem.bytesFree = step.bytesFree;
  }
}

test('any history of appends, acknowledgements, crashes and disk faults keeps the laws', async () => {
  const undamaged = step.filter((candidate) => !['flip', 'cut_tail'].includes(candidate.do));
  await fc.assert(
    fc.asyncProperty(fc.array(undamaged, { maxLength: 40 }), async (steps) => {
      const model = new Model();
      await model.open(model.fileSystem);
      for (const each of steps) await run(model, each);
      await model.open(model.fileSystem.copyOfSynced());
      assert.equal(model.quarantined, 0);
    }),
    { numRuns: 150 },
  );
});

test('whatever is damaged, a start succeeds and gives back nothing that was not stored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const model = new Model();
      await model.open(model.fileSystem);
      for (const each of steps) await run(model, each);
      await model.open(model.fileSystem.copy());
    }),
    { numRuns: 150 },
  );
});
