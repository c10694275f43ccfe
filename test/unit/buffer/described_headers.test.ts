import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileSystem } from '../../../core/buffer/file_system.ts';
import { intactTexts, openInMemory, segmentPaths } from './buffer_fixture.ts';
import { MemoryFileSystem } from './memory_file_system.ts';

/** A header of a description and as many bytes behind it. */
function headerOf(name: string, restBytes: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(name.length);
  return Buffer.concat([length, Buffer.from(name), Buffer.alloc(restBytes, 7)]);
}

const nameOf = (header: Buffer) => header.toString('latin1', 4, 4 + header.readUInt32LE(0));

async function stored(options: {
  readonly chunks: number;
  readonly restBytes: number;
  readonly bodyBytes: number;
  readonly segmentBytes: number;
}): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const { segmentBytes } = options;
  const limitBytes = 64 * 1024 * 1024;
  const buffer = await openInMemory(disk, { headersDescribe: true, segmentBytes, limitBytes });
  for (let chunk = 0; chunk < options.chunks; chunk++) {
    const body = Buffer.from(`body ${chunk} `.padEnd(options.bodyBytes, 'x'));
    await buffer.append(headerOf(`chunk ${chunk}`, options.restBytes), body);
  }
  await buffer.close();
  return disk;
}

/** Counts the bytes that are read of each file. */
function counting(disk: FileSystem): { disk: FileSystem; read: Map<string, number> } {
  const read = new Map<string, number>();
  const open: FileSystem['open'] = async (path, mode) => {
    const file = await disk.open(path, mode);
    return {
      read: async (target, position) => {
        const bytes = await file.read(target, position);
        read.set(path, (read.get(path) ?? 0) + bytes);
        return bytes;
      },
      write: (buffers, position) => file.write(buffers, position),
      truncate: (bytes) => file.truncate(bytes),
      sync: () => file.sync(),
      size: () => file.size(),
      close: () => file.close(),
    };
  };
  const others: Omit<FileSystem, 'open'> = {
    list: (directory) => disk.list(directory),
    makeDirectory: (path) => disk.makeDirectory(path),
    remove: (path) => disk.remove(path),
    rename: (from, to) => disk.rename(from, to),
    syncDirectory: (path) => disk.syncDirectory(path),
  };
  return { disk: { open, ...others }, read };
}

test('a start reads and keeps no more of full segments than descriptions', async () => {
  const sizes = { restBytes: 200_000, bodyBytes: 500_000, segmentBytes: 2_000_000 };
  const memory = await stored({ chunks: 12, ...sizes });
  const { disk, read } = counting(memory);
  const buffer = await openInMemory(memory, { fileSystem: disk, headersDescribe: true });
  const paths = segmentPaths(memory);
  assert.ok(paths.length >= 4);
  for (const path of paths.slice(0, -1)) assert.ok(read.get(path)! < 32_768, `${read.get(path)}`);
  assert.equal(buffer.recovered.length, 12);
  for (const [chunk, { header }] of buffer.recovered.entries()) {
    assert.equal(nameOf(header), `chunk ${chunk}`);
    assert.ok(header.length < 100);
  }
  const { header, body } = (await buffer.read(buffer.recovered[0]!.sequence))!;
  assert.equal(header.length, headerOf('chunk 0', sizes.restBytes).length);
  assert.ok(body.toString().startsWith('body 0 '));
});

test('a description that is larger than what is read at once is read in full', async () => {
  const disk = new MemoryFileSystem();
  const options = { headersDescribe: true, segmentBytes: 40_000 };
  const first = await openInMemory(disk, options);
  const long = 'long '.repeat(2000);
  for (let k = 0; k < 8; k++) await first.append(headerOf(`${long}${k}`, 10), Buffer.from('body'));
  await first.close();
  const second = await openInMemory(disk, options);
  const names = second.recovered.map(({ header }) => nameOf(header));
  assert.deepEqual(
    names,
    Array.from({ length: 8 }, (_, k) => `${long}${k}`),
  );
});

test('a flip at any byte of a full segment costs the record it hits, and is counted once', async () => {
  const chunks = 8;
  const memory = await stored({ chunks, restBytes: 90, bodyBytes: 150, segmentBytes: 1200 });
  const [path] = segmentPaths(memory);
  const original = memory.bytes(path!);
  for (let at = 0; at < original.length; at++) {
    const disk = memory.copy();
    disk.files.get(path!)!.bytes = Buffer.from(original);
    disk.files.get(path!)!.bytes[at]! ^= 1 << (at % 8);
    let told = 0;
    const buffer = await openInMemory(disk, { headersDescribe: true, onQuarantine: () => told++ });
    for (const { header } of buffer.recovered) assert.match(nameOf(header), /^chunk \d$/);
    const found = (await intactTexts(buffer)).map((text) => text.trimEnd().split(' ')[1]);
    assert.ok(found.length >= chunks - 1, `byte ${at}: ${found}`);
    assert.equal(new Set(found).size, found.length);
    assert.equal(told, 1, `byte ${at} is told ${told} times`);
  }
});

test('segments of records without descriptions are read as before', async () => {
  const disk = new MemoryFileSystem();
  const options = { segmentBytes: 8192 };
  const first = await openInMemory(disk, options);
  for (let k = 0; k < 20; k++) await first.append(headerOf(`old ${k}`, 500), Buffer.alloc(900));
  await first.close();
  const second = await openInMemory(disk, { ...options, headersDescribe: true });
  assert.deepEqual(
    second.recovered.map(({ header }) => [nameOf(header), header.length]),
    Array.from({ length: 20 }, (_, k) => [`old ${k}`, headerOf(`old ${k}`, 500).length]),
  );
});
