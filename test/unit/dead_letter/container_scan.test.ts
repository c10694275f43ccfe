import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeadLetterCodec } from '../../../core/dead_letter/avro_container.ts';
import { scanContainer } from '../../../core/dead_letter/container_scan.ts';
import { openDeadLetterStore } from '../../../core/dead_letter/dead_letter_store.ts';
import { recordingLog } from '../buffer/buffer_fixture.ts';
import { MemoryFileSystem } from '../buffer/memory_file_system.ts';

// Found by the rig of rot: the letters of such a block are whole, so nobody missed any.
test('a block whose head announces another number of letters is damaged, and its letters are read', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await openDeadLetterStore({
    directory: '/dead',
    output: 'es',
    limitBytes: 1024 * 1024,
    whenFull: 'block',
    log: recordingLog(),
    fileSystem,
    processProbe: { pid: 1, isAlive: () => false, startedAt: () => 'now' },
  });
  const letter = (offset: number) => ({
    record: Buffer.from(`{"n":${offset}}`),
    origin: { source: '/var/log/a.log', generation: 'ab'.repeat(16), offset, part: 0 },
    ...{ tag: 'app.log', time: { seconds: 1_600_000_000, nanos: 0 } },
    ...{ reason: 'refused', reasonCode: 'rejected', status: 400, attempts: 1 },
  });
  await store.append(Array.from({ length: 18 }, (_, offset) => letter(offset)));
  await store.close();
  const codec = new DeadLetterCodec();
  const content = fileSystem.bytes('/dead/00000001.avro');
  assert.equal(content[codec.headerBytes], 36);
  assert.deepEqual(scanContainer(content, codec).damaged, []);
  const damaged = Buffer.from(content);
  damaged[codec.headerBytes] = 124;
  const scan = scanContainer(damaged, codec);
  assert.equal(scan.letters.length, 18);
  assert.equal(scan.damaged.length, 1);
  assert.equal(scan.damaged[0]!.start, codec.headerBytes);
});
