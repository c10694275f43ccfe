import type { EvtxOptions } from '../../../plugins/inputs/evtx/config.ts';
import { readChunkHeader } from '../../../plugins/inputs/evtx/chunk.ts';
import { ChunkWalk } from '../../../plugins/inputs/evtx/chunk_walk.ts';
import { plugin } from '../../../plugins/inputs/evtx/index.ts';
import { RecordDecoder } from '../../../plugins/inputs/evtx/record_decoder.ts';
import { ChunkWriter, type FixtureRecord } from '../../event_log/evtx_writer.ts';
import { type MemoryCheckpoints, TailRun } from './tail_harness.ts';

/** One run of an evtx input on a directory of its own. */
export function evtxRun(
  directory: string,
  checkpoints: MemoryCheckpoints,
  options: Partial<EvtxOptions> = {},
  surroundings: ConstructorParameters<typeof TailRun>[3] = {},
): TailRun {
  return new TailRun(
    directory,
    checkpoints,
    {},
    {
      ...surroundings,
      makeInput: (context) => plugin.create({ ...evtxDefaults, ...options }, context),
    },
  );
}

const evtxDefaults: EvtxOptions = {
  path: ['*.evtx'],
  read_from_head: true,
  refresh_interval: 20,
  exit_on_eof: false,
  include_slack: false,
  read_damaged_chunks: false,
  string_inserts: false,
  render_xml: false,
};

export interface Decoded {
  readonly json: string;
  readonly seconds: number;
  readonly nanos: number;
}

/** Decodes all records of a chunk. `way`: by compiled plans where they can (and whether they
 *  could), or by the tree alone. */
export function decodeChunk(
  bytes: Buffer,
  way: 'plan' | 'tree',
  options: { renderXml?: boolean; stringInserts?: boolean } = {},
  decoder = newDecoder(options),
): Decoded[] {
  // The tree is what records are left to when plans give up.
  const ways = decoder as unknown as { writeByPlan(): boolean };
  if (way === 'tree') ways.writeByPlan = () => false;
  decoder.open(bytes);
  const walk = new ChunkWalk();
  walk.open(bytes, 'checked', 512, readChunkHeader(bytes, bytes.length)!.freeSpace);
  const room = Buffer.alloc(4_000_000);
  const decoded: Decoded[] = [];
  while (walk.next()) {
    decoder.out.open(room, 0, room.length);
    decoder.write(walk.start, walk.size, Buffer.alloc(0));
    decoded.push({
      json: room.toString('utf8', 0, decoder.out.at),
      seconds: decoder.seconds,
      nanos: decoder.nanos,
    });
  }
  return decoded;
}

export function newDecoder(
  options: { renderXml?: boolean; stringInserts?: boolean } = {},
): RecordDecoder {
  return new RecordDecoder({
    renderXml: options.renderXml ?? false,
    stringInserts: options.stringInserts ?? false,
    charactersMax: 1_000_000,
  });
}

/** How many records of a chunk the compiled plans can do. */
export function countPlanned(bytes: Buffer): number {
  const decoder = newDecoder();
  const ways = decoder as unknown as { writeByTree(): void };
  let trees = 0;
  ways.writeByTree = () => {
    trees++;
  };
  decoder.open(bytes);
  const walk = new ChunkWalk();
  walk.open(bytes, 'checked', 512, readChunkHeader(bytes, bytes.length)!.freeSpace);
  const room = Buffer.alloc(4_000_000);
  let records = 0;
  while (walk.next()) {
    decoder.out.open(room, 0, room.length);
    decoder.write(walk.start, walk.size, Buffer.alloc(0));
    records++;
  }
  return records - trees;
}

/** A chunk of these records. */
export function chunkOf(records: readonly FixtureRecord[]): Buffer {
  const writer = new ChunkWriter();
  for (const record of records) {
    if (!writer.add(record)) throw new Error('The records need more than one chunk.');
  }
  return writer.finish();
}
