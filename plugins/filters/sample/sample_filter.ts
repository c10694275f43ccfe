import {
  type Batch,
  type BatchFilter,
  dropReason,
  type PluginContext,
} from '../../../core/sdk/index.ts';
import { mixed } from '../../shared/values/derived_part.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import type { Options } from './config.ts';

const prime = 0x01000193;
const hashes = 2 ** 32;

/** Keeps a share of the records. The decision is a hash of a field or of the record's origin, so
 *  that it is the same when a record is read again, and the same in every agent. */
export class SampleFilter implements BatchFilter {
  private readonly finder: FieldFinder;
  private readonly key: number;
  private readonly seed: number;
  /** Hashes below it stay. */
  private readonly bound: number;
  private generation = '';
  private generationHash = 0;

  constructor(options: Options, context: PluginContext) {
    this.finder = new FieldFinder(context.kernel);
    this.key = options.key === undefined ? -1 : this.finder.add(context.field(options.key));
    this.seed = hashText(options.seed ?? '', 0x811c9dc5);
    const share =
      options.one_of === undefined ? (options.percentage ?? 100) / 100 : 1 / options.one_of;
    this.bound = share * hashes;
  }

  process(batch: Batch): void {
    // hot path
    if (this.generation !== batch.source.generation) {
      this.generation = batch.source.generation;
      this.generationHash = hashText(this.generation, this.seed);
    }
    this.finder.begin(batch);
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      const byKey = this.key >= 0 && this.finder.find(batch, index, this.key);
      const hash = byKey ? this.hashFound() : this.hashOrigin(batch, index);
      if (hash >= this.bound) batch.dropped[index] = dropReason.sampled;
    }
  }

  async close(): Promise<void> {
    this.finder.close();
  }

  /** `7` and `"7"` are the same value. */
  private hashFound(): number {
    const finder = this.finder;
    if (!finder.narrowToText()) return mixed(hashText(finder.text(), this.seed));
    let hash = this.seed;
    for (let at = finder.start; at < finder.end; at++) {
      hash = Math.imul(hash ^ finder.bytes[at]!, prime);
    }
    return mixed(hash);
  }

  private hashOrigin(batch: Batch, index: number): number {
    const offset = batch.offset[index]!;
    let hash = mixed(this.generationHash ^ (offset >>> 0));
    hash = mixed(hash ^ Math.floor(offset / hashes));
    return mixed(hash ^ Math.imul(batch.part[index]!, 0x9e3779b1));
  }
}

/** FNV-1a over the UTF-8 bytes. */
function hashText(text: string, from: number): number {
  let hash = from;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, prime);
  return hash;
}
