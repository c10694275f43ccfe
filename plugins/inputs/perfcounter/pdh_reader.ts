import { HelperError } from '../../shared/windows_native/helper_messages.ts';
import type { Koffi } from '../../shared/windows_native/load_koffi.ts';
import { type Handle, type PdhCalls, pdhCalls } from './pdh_calls.ts';
import { pdhStatus, pdhStatusText } from './pdh_status.ts';

/** Paths of one object, which are read together. */
export interface PdhRequest {
  readonly object: string;
  readonly paths: readonly string[];
}

export interface PdhSample {
  readonly path: string;
  /** '' where the object has no instances. */
  readonly instance: string;
  readonly value: number;
}

export interface PdhMissing {
  readonly path: string;
  readonly reason: string;
}

export interface PdhAnswer {
  readonly samples: readonly PdhSample[];
  /** Paths without a value; those that need a second reading first are not among them. */
  readonly missing: readonly PdhMissing[];
  /** Values left out because a counter went backwards. */
  readonly negative: number;
}

/** Floating point, and more than 100 % where there are several processors. */
const format = 0x200 | 0x8000;
/** PDH_FMT_COUNTERVALUE_ITEM_W (pdh.h), as 64 bits have it. */
const itemBytes = 24;
const statusAt = 8;
const valueAt = 16;
/** Looking for new objects costs Windows much: every so many readings. */
const refreshRounds = 6;
const bufferBytesMax = 64 * 1024 * 1024;
/** How the array calls what has no instance. */
const noInstance: ReadonlySet<string> = new Set(['', '*', '------']);

interface OpenCounter {
  readonly path: string;
  handle: Handle;
  /** Readings since it was added, or tries to add it. */
  reads: number;
}

interface OpenObject {
  readonly query: Handle;
  readonly counters: OpenCounter[];
  isBusy: boolean;
}

/** Reads performance counters. PDH keeps the reading before, so that rates are over the time between
 *  the two, whatever the interval; the first reading of a rate gives nothing. Each object is a query
 *  of its own: a provider that hangs holds up no other. */
export class PdhReader {
  private readonly koffi: Koffi;
  private readonly calls: PdhCalls;
  private readonly objects = new Map<string, OpenObject>();
  private buffer = Buffer.alloc(16 * 1024);

  constructor(koffi: Koffi, libraryPath = 'pdh.dll') {
    this.koffi = koffi;
    this.calls = pdhCalls(koffi, libraryPath);
  }

  /** Errors: HelperError, where nothing could be read. */
  async read({ object: name, paths }: PdhRequest): Promise<PdhAnswer> {
    const object = this.objects.get(name) ?? this.open(paths);
    this.objects.set(name, object);
    if (object.isBusy) throw new HelperError('the reading before is not over');
    const missing: PdhMissing[] = [];
    this.addMissing(object, missing);
    const added = object.counters.filter(({ handle }) => handle !== null);
    if (added.length === 0) return { samples: [], missing, negative: 0 };
    object.isBusy = true;
    let status: number;
    try {
      status = await this.collect(object.query);
    } finally {
      object.isBusy = false;
    }
    if (isError(status) && status !== pdhStatus.noData) {
      this.drop(name, object);
      throw new HelperError(pdhStatusText('PdhCollectQueryData', status), status);
    }
    const samples: PdhSample[] = [];
    let negative = 0;
    for (const counter of added) {
      const result = this.values(counter, samples);
      negative += result.negative;
      if (result.reason !== undefined) missing.push({ path: counter.path, reason: result.reason });
    }
    return { samples, missing, negative };
  }

  close(): void {
    for (const [name, object] of this.objects) this.drop(name, object);
  }

  private open(paths: readonly string[]): OpenObject {
    const out: Handle[] = [null];
    const status = this.calls.openQuery(null, 0n, out);
    if (isError(status)) throw new HelperError(pdhStatusText('PdhOpenQuery', status), status);
    const counters = paths.map((path): OpenCounter => ({ path, handle: null, reads: 0 }));
    return { query: out[0]!, counters, isBusy: false };
  }

  /** Counters that are not there may come: with a service, or a driver. */
  private addMissing(object: OpenObject, missing: PdhMissing[]): void {
    const absent = object.counters.filter(({ handle }) => handle === null);
    if (absent.some(({ reads }) => reads % refreshRounds === refreshRounds - 1))
      this.refreshNames();
    for (const counter of absent) {
      const { path } = counter;
      const out: Handle[] = [null];
      const status = this.calls.addEnglishCounter(object.query, path, 0n, out);
      counter.reads++;
      if (isError(status)) {
        missing.push({ path, reason: pdhStatusText('PdhAddEnglishCounter', status) });
        continue;
      }
      counter.handle = out[0]!;
      counter.reads = 0;
    }
  }

  /** PDH knows the objects that there were when it was first asked. */
  private refreshNames(): void {
    const bytes = [0];
    this.calls.enumerateObjects(null, null, null, bytes, 400, 1);
  }

  private values(
    counter: OpenCounter,
    samples: PdhSample[],
  ): { readonly reason?: string; readonly negative: number } {
    counter.reads++;
    const { status, count } = this.array(counter.handle);
    if (isError(status)) {
      const isFirst = counter.reads === 1;
      const isPending = status === pdhStatus.invalidData || status === pdhStatus.notReady;
      if (isFirst && isPending) return { negative: 0 };
      const isNegative = isNegativeStatus(status);
      if (isNegative) return { negative: 1 };
      return { reason: pdhStatusText('PdhGetFormattedCounterArray', status), negative: 0 };
    }
    const { buffer } = this;
    const base = BigInt(this.koffi.address(buffer) as bigint);
    const seen = new Map<string, number>();
    let negative = 0;
    let taken = 0;
    let firstBad = 0;
    for (let at = 0; at < count; at++) {
      const item = at * itemBytes;
      const instance = this.instanceAt(Number(buffer.readBigUInt64LE(item) - base), seen);
      const itemStatus = buffer.readUInt32LE(item + statusAt);
      if (itemStatus > pdhStatus.newData) {
        if (isNegativeStatus(itemStatus)) negative++;
        else if (counter.reads > 1) firstBad ||= itemStatus;
        continue;
      }
      samples.push({ path: counter.path, instance, value: buffer.readDoubleLE(item + valueAt) });
      taken++;
    }
    if (taken > 0 || negative > 0 || counter.reads === 1) return { negative };
    const bad = firstBad || pdhStatus.noInstance;
    return { reason: pdhStatusText('PdhGetFormattedCounterArray', bad), negative };
  }

  /** Instances of one name are told apart as Windows does elsewhere: `svchost`, `svchost#1`. */
  private instanceAt(at: number, seen: Map<string, number>): string {
    const { buffer } = this;
    let end = at;
    while (end + 1 < buffer.length && buffer.readUInt16LE(end) !== 0) end += 2;
    const name = buffer.toString('utf16le', at, end);
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    if (noInstance.has(name)) return '';
    return before === 0 ? name : `${name}#${before}`;
  }

  private array(handle: Handle): { readonly status: number; readonly count: number } {
    for (;;) {
      const bytes = [this.buffer.length];
      const count = [0];
      const status = this.calls.formattedArray(handle, format, bytes, count, this.buffer) >>> 0;
      if (status !== pdhStatus.moreData) return { status, count: count[0]! };
      // Instances may come between the calls, so it may be short again.
      const wanted = Math.max(bytes[0]!, this.buffer.length) * 2;
      if (wanted > bufferBytesMax) return { status, count: 0 };
      this.buffer = Buffer.alloc(wanted);
    }
  }

  private collect(query: Handle): Promise<number> {
    return new Promise((resolve, reject) => {
      this.calls.collect.async(query, (error, status) =>
        error ? reject(error) : resolve(status >>> 0),
      );
    });
  }

  private drop(name: string, object: OpenObject): void {
    this.objects.delete(name);
    this.calls.closeQuery(object.query);
  }
}

function isError(status: number): boolean {
  return status >>> 0 >= 0x80000000;
}

function isNegativeStatus(status: number): boolean {
  const code = status >>> 0;
  return code >= pdhStatus.negativeDenominator && code <= pdhStatus.negativeValue;
}
