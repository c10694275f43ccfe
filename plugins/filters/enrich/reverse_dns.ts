import { Resolver } from 'node:dns/promises';
import {
  type Batch,
  type Counter,
  type Field,
  type PluginContext,
  valueKind,
} from '../../../core/sdk/index.ts';
import { addressOf } from '../../shared/geoip/address_scope.ts';
import { BoundedCache } from '../../shared/lookup_table/bounded_cache.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import type { DnsOptions } from './config.ts';

/** Asks for the names of an address; rejects when there are none. */
export type ReverseLookup = (address: string) => Promise<readonly string[]>;

/** Questions for one batch; the other addresses wait for a later one. */
const questionsMax = 256;
const failureTtlMs = 60_000;

interface Answer {
  readonly name: string | undefined;
  readonly untilMs: number;
}

/** An event and its address. */
interface Asked {
  readonly index: number;
  readonly address: string;
}

export interface ReverseDnsParts {
  readonly finder: FieldFinder;
  readonly cacheSize: number;
  readonly misses: Counter;
  readonly lookup?: ReverseLookup;
}

/** Puts the names of IP addresses into events, as far as they come in time. */
export class ReverseDns {
  private readonly context: PluginContext;
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly target: Field;
  private readonly timeoutMs: number;
  private readonly ttlMs: number;
  private readonly cache: BoundedCache<Answer>;
  private readonly misses: Counter;
  private readonly lookup: ReverseLookup;

  constructor(options: DnsOptions, context: PluginContext, parts: ReverseDnsParts) {
    const { finder, cacheSize, misses, lookup } = parts;
    this.finder = finder;
    this.which = finder.add(context.field(options.key));
    this.context = context;
    this.target = context.field(options.target);
    this.timeoutMs = options.timeout ?? 500;
    this.ttlMs = options.ttl ?? 3_600_000;
    this.cache = new BoundedCache(cacheSize);
    this.misses = misses;
    this.lookup = lookup ?? resolverLookup(this.timeoutMs);
  }

  /** Uses the finder only before it returns: by the time the names are there, it may be at
   *  another batch. */
  run(batch: Batch): void | Promise<void> {
    const { finder, which } = this;
    const asked: Asked[] = [];
    const unknown = new Set<string>();
    const nowMs = this.context.clock.monotonicMs();
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, which)) continue;
      const address = addressOf(finder.text());
      if (address === undefined) continue;
      asked.push({ index, address });
      const answer = this.cache.get(address);
      const isKnown = answer !== undefined && answer.untilMs > nowMs;
      if (!isKnown && unknown.size < questionsMax) unknown.add(address);
    }
    if (unknown.size === 0) {
      this.write(batch, asked);
      return;
    }
    return this.ask(unknown).then(() => this.write(batch, asked));
  }

  /** Resolves when all answers are there, or the time is over. */
  private ask(addresses: ReadonlySet<string>): Promise<void> {
    const questions = Promise.all([...addresses].map((address) => this.askOne(address)));
    return new Promise((resolve) => {
      const cancel = this.context.clock.after(this.timeoutMs, resolve);
      void questions.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Late answers are kept for later batches. Never rejects. */
  private async askOne(address: string): Promise<void> {
    let name: string | undefined;
    try {
      [name] = await this.lookup(address);
    } catch {
      // No name, or no answer: the same to the record.
    }
    const ttlMs = name === undefined ? failureTtlMs : this.ttlMs;
    this.cache.set(address, { name, untilMs: this.context.clock.monotonicMs() + ttlMs });
  }

  private write(batch: Batch, asked: readonly Asked[]): void {
    for (const { index, address } of asked) {
      const name = this.cache.get(address)?.name;
      if (name === undefined) this.misses.value++;
      else batch.setField(index, this.target, Buffer.from(name), valueKind.text);
    }
  }
}

function resolverLookup(timeoutMs: number): ReverseLookup {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  return (address) => resolver.reverse(address);
}
