import { isUtf8 } from 'node:buffer';
import {
  type Batch,
  type BatchEmitter,
  type Clock,
  type Counter,
  type Field,
  isBlank,
  type JsonValidator,
  messageOf,
  type OpenSource,
  valueKind,
} from '../../../core/sdk/index.ts';
import type { RecordSpans } from './record_spans.ts';
import { busy, Refusal, unavailable } from './refusal.ts';
import { Rejections } from './rejections.ts';
import type { BodyForm } from './request_plan.ts';
import { tagOfText } from './request_tag.ts';

/** What all requests of an input share. */
export interface TakerServices {
  readonly emitter: BatchEmitter;
  readonly clock: Clock;
  readonly validator: JsonValidator;
  /** Where lines of text go. */
  readonly lineField: Field;
  readonly tagField: Field | undefined;
  readonly recordBytesMax: number;
  readonly busyTimeoutMs: number;
  readonly invalidTexts: Counter;
  /** The input has ended: nothing may be emitted any more. */
  hasEnded(): boolean;
}

/** Puts the records of one request into batches. The index of a record in the body, refused ones
 *  included, is its position in the source: with an Idempotency-Key it gets the same id again. */
export class RecordTaker {
  readonly rejections = new Rejections();
  /** Records that went through the filters into the outputs' chunks. */
  accepted = 0;
  /** Position behind the last of them. */
  positionEnd = 0;

  private readonly services: TakerServices;
  private readonly source: OpenSource;
  private readonly tag: string;
  private readonly form: BodyForm;
  private position = 0;
  private mistake: Refusal | undefined;

  constructor(services: TakerServices, source: OpenSource, tag: string, form: BodyForm) {
    this.services = services;
    this.source = source;
    this.tag = tag;
    this.form = form;
  }

  /** Records found so far. */
  get found(): number {
    return this.position;
  }

  /** Takes the records at these spans of `bytes`. Resolves when they are through the filters.
   *  Errors: Refusal with 400 at a JSON body's first mistake, 429, 503. */
  async take(bytes: Buffer, spans: RecordSpans): Promise<void> {
    let next = 0;
    while (next < spans.count) {
      if (!this.isTakeable(spans, next)) {
        const text = `The record is larger than ${this.services.recordBytesMax} bytes.`;
        this.rejections.add(this.position++, text);
        next++;
        continue;
      }
      const batch = await this.batch(spans.ends[next]! - spans.starts[next]!);
      next = this.fill(batch, bytes, spans, next);
      await this.emit(batch);
      if (this.mistake !== undefined) throw this.mistake;
    }
  }

  private isTakeable(spans: RecordSpans, i: number): boolean {
    const start = spans.starts[i]!;
    return start >= 0 && spans.ends[i]! - start <= this.services.recordBytesMax;
  }

  private async batch(bytes: number): Promise<Batch> {
    const { emitter, clock, busyTimeoutMs } = this.services;
    const wanted = emitter.batch(this.source, this.tag, bytes);
    let cancel = (): void => undefined;
    const late = new Promise<undefined>((resolve) => {
      cancel = clock.after(busyTimeoutMs, () => resolve(undefined));
    });
    try {
      const batch = await Promise.race([wanted, late]);
      if (batch !== undefined) return batch;
    } catch (error) {
      throw unavailable(`The agent takes nothing more: ${messageOf(error)}`);
    } finally {
      cancel();
    }
    // It comes when nobody waits for it any more.
    wanted.then(
      (batch) => emitter.discard(batch),
      () => undefined,
    );
    throw busy(`The pipeline had no room for ${busyTimeoutMs} ms.`);
  }

  private async emit(batch: Batch): Promise<void> {
    const { emitter } = this.services;
    const { count } = batch;
    if (count === 0 || this.services.hasEnded()) {
      emitter.discard(batch);
      if (count > 0) throw unavailable('The agent has stopped.');
      return;
    }
    const end = this.position;
    batch.positionEnd = end;
    try {
      await emitter.emit(batch);
    } catch (error) {
      throw unavailable(`The agent did not take a batch: ${messageOf(error)}`);
    }
    this.accepted += count;
    this.positionEnd = end;
  }

  /** Copies as many records as fit; returns the first that did not. */
  private fill(batch: Batch, bytes: Buffer, spans: RecordSpans, first: number): number {
    // hot path
    const from = spans.starts[first]!;
    const room = batch.dataEnd - batch.dataStart;
    const shift = batch.dataStart - from;
    let count = 0;
    let next = first;
    while (next < spans.count && count < batch.capacity && this.isTakeable(spans, next)) {
      if (spans.ends[next]! - from > room) break;
      batch.rootStart[count] = spans.starts[next]! + shift;
      batch.rootEnd[count] = spans.ends[next]! + shift;
      count++;
      next++;
    }
    const end = spans.ends[next - 1]!;
    bytes.copy(batch.bytes, batch.dataStart, from, end);
    batch.inputBytes = end - from;
    const isText = isUtf8(batch.bytes.subarray(batch.dataStart, end + shift));
    if (this.form === 'text_lines') this.addLines(batch, count, isText);
    else this.addObjects(batch, count, isText);
    return next;
  }

  /** Makes events of the spans in the batch's first `count` roots. */
  private addObjects(batch: Batch, count: number, isText: boolean): void {
    // hot path
    const { rootStart, rootEnd } = batch;
    const { validator, clock, tagField } = this.services;
    batch.select.fill(1, 0, count);
    batch.count = count;
    validator.validate(batch, rootStart, rootEnd);
    batch.count = 0;
    const nowMs = clock.nowMs();
    const seconds = Math.floor(nowMs / 1000);
    const nanos = Math.floor((nowMs % 1000) * 1e6);
    for (let i = 0; i < count; i++) {
      const start = rootStart[i]!;
      const end = rootEnd[i]!;
      if (validator.valid[i] !== 1 || !(isText || isUtf8(batch.bytes.subarray(start, end)))) {
        this.refuse(batch, start, end);
        if (this.mistake !== undefined) return;
        continue;
      }
      // Never behind the span that is read next: refused ones only make it lag.
      const index = batch.addEvent(this.position, this.position + 1, seconds, nanos);
      batch.setRoot(index, start, end);
      this.position++;
      if (tagField !== undefined) this.tagByField(batch, index, tagField);
    }
  }

  private addLines(batch: Batch, count: number, isText: boolean): void {
    // hot path
    const column = batch.column(this.services.lineField)!;
    const nowMs = this.services.clock.nowMs();
    const seconds = Math.floor(nowMs / 1000);
    const nanos = Math.floor((nowMs % 1000) * 1e6);
    for (let i = 0; i < count; i++) {
      const start = batch.rootStart[i]!;
      const end = batch.rootEnd[i]!;
      const index = batch.addEvent(this.position, this.position + 1, seconds, nanos);
      this.position++;
      if (isText || isUtf8(batch.bytes.subarray(start, end))) {
        batch.setSpan(column, index, start, end, valueKind.text);
      } else {
        this.services.invalidTexts.value++;
        batch.setText(column, index, batch.bytes.utf8Slice(start, end));
      }
    }
  }

  private tagByField(batch: Batch, index: number, field: Field): void {
    const value = batch.textAt(index, field);
    const tag = value === undefined ? undefined : tagOfText(value);
    if (tag !== undefined) batch.setTag(index, tag);
  }

  private refuse(batch: Batch, start: number, end: number): void {
    if (isBlank(batch.bytes.subarray(0, end), start, end)) return;
    const index = this.position++;
    const { reason, isJson } = problemOf(batch.bytes, start, end);
    if (isJson || this.form === 'json_lines') this.rejections.add(index, reason);
    else this.mistake = new Refusal(400, `Record ${index} is not valid JSON: ${reason}`);
  }
}

/** Why a span is no record. */
function problemOf(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly reason: string; readonly isJson: boolean } {
  if (!isUtf8(bytes.subarray(start, end))) return { reason: 'It is not UTF-8.', isJson: true };
  try {
    const value: unknown = JSON.parse(bytes.utf8Slice(start, end));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    const reason = isObject ? 'It is nested too deep.' : 'It is no JSON object.';
    return { reason, isJson: true };
  } catch (error) {
    // The message shows a piece of the record, which the client knows.
    return { reason: messageOf(error).slice(0, 200), isJson: false };
  }
}
