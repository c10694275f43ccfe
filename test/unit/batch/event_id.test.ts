import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { idPrefixOf, writeEventId } from '../../../core/batch/event_id.ts';

function idOf(offset: number, part: number): string {
  const out = new ByteWriter(0);
  writeEventId(out, idPrefixOf('00112233445566778899aabbccddeeff'), offset, part);
  return out.view().toString();
}

test('an id is the generation, the offset as 48 bits, and the part', () => {
  const prefix = 'ABEiM0RVZneImaq7zN3u_w';
  assert.equal(idOf(0, 0), `${prefix}AAAAAAAA`);
  assert.equal(idOf(63, 0), `${prefix}AAAAAAA_`);
  assert.equal(idOf(64, 3), `${prefix}AAAAAABA-3`);
  assert.equal(idOf(2 ** 48 - 1, 0), `${prefix}________`);
});

test('ids of different offsets and parts differ', () => {
  const ids = new Set<string>();
  const offsets = [0, 1, 63, 64, 4095, 4096, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 47];
  for (const offset of offsets) for (const part of [0, 1, 2]) ids.add(idOf(offset, part));
  assert.equal(ids.size, offsets.length * 3);
});
