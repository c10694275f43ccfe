import type { Batch } from '../batch/batch.ts';
import { type Field, fieldOf } from '../batch/field.ts';
import { isClear } from '../batch/masks.ts';
import type { FieldPath } from '../config/field_path.ts';
import type { FieldReader } from '../expression/expression.ts';
import type { TagMatcher } from './tag_matcher.ts';
import { VerdictMemo } from './verdict_memo.ts';
import type { WatchedExpression } from './watched_expression.ts';

/** Which events of a batch a filter or an output concerns. */
export interface Selector {
  /** Sets `select` for the live events that are wanted and returns their number. */
  select(batch: Batch, select: Uint8Array): number;
}

/** Asks another selector for each input; `undefined` wants nothing of it. */
export class ByInput implements Selector {
  private readonly inputs: ReadonlyMap<string, Selector | undefined>;
  private readonly others: Selector | undefined;

  constructor(inputs: ReadonlyMap<string, Selector | undefined>, others: Selector | undefined) {
    this.inputs = inputs;
    this.others = others;
  }

  select(batch: Batch, select: Uint8Array): number {
    const { inputId } = batch.source;
    const selector = this.inputs.has(inputId) ? this.inputs.get(inputId) : this.others;
    if (selector !== undefined) return selector.select(batch, select);
    select.fill(0, 0, batch.count);
    return 0;
  }
}

/** Events by tag and `when`. */
export class Condition implements FieldReader, Selector {
  private readonly tags: TagMatcher;
  private readonly when: WatchedExpression | undefined;
  private readonly fields = new Map<FieldPath, Field>();
  /** The field that alone decides, and what was decided of its values. */
  private readonly onlyField: Field | undefined;
  private readonly memo = new VerdictMemo();
  private batch!: Batch;
  /** The events of the batch that are asked about, and what comes of them. */
  private wanted = new Uint8Array(0);
  private verdicts: Uint8Array = new Uint8Array(0);
  private index = 0;

  constructor(tags: TagMatcher, when: WatchedExpression | undefined) {
    this.tags = tags;
    this.when = when;
    const expression = when?.expression;
    for (const path of expression?.fields ?? [])
      this.fields.set(path, fieldOf(path.keys, path.literal));
    if (this.fields.size === 1 && expression?.readsTag === false) {
      this.onlyField = this.fields.values().next().value;
    }
  }

  select(batch: Batch, select: Uint8Array): number {
    // hot path
    const names = batch.tagNames;
    let some = false;
    let all = true;
    for (let i = 0; i < names.length; i++) {
      if (this.tags.matches(names[i]!)) some = true;
      else all = false;
    }
    const count = batch.count;
    if (!some) {
      select.fill(0, 0, count);
      return 0;
    }
    const dropped = batch.dropped;
    let selected = 0;
    if (all && isClear(dropped, count)) {
      select.fill(1, 0, count);
      return this.when === undefined ? count : this.narrow(batch, select);
    }
    for (let index = 0; index < count; index++) {
      const wanted =
        dropped[index] === 0 && (all || this.tags.matches(names[batch.tag[index]!]!)) ? 1 : 0;
      select[index] = wanted;
      selected += wanted;
    }
    return this.when === undefined ? selected : this.narrow(batch, select);
  }

  get tag(): string {
    return this.batch.tagName(this.index);
  }

  get(path: FieldPath): unknown {
    return this.batch.valueAt(
      this.index,
      this.fields.get(path) ?? fieldOf(path.keys, path.literal),
    );
  }

  private narrow(batch: Batch, select: Uint8Array): number {
    this.batch = batch;
    const { wanted } = this;
    if (wanted.length < batch.count) this.wanted = select.slice();
    else wanted.set(select.subarray(0, batch.count));
    this.verdicts = select;
    this.when!.each(batch.count, this.evaluate);
    let selected = 0;
    for (let index = 0; index < batch.count; index++) selected += select[index]!;
    return selected;
  }

  private readonly evaluate = (index: number, isFinal: boolean): void => {
    // hot path
    if (this.wanted[index] !== 1) return;
    this.index = index;
    // What is given up now may be found at another time: it is not remembered.
    const isMet = isFinal ? this.when!.expression.evaluate(this) : this.isMet();
    this.verdicts[index] = isMet ? 1 : 0;
  };

  /** Whether the event at `index` meets the condition. */
  private isMet(): boolean {
    // hot path
    const { batch, memo, onlyField } = this;
    if (onlyField === undefined || !batch.locate(this.index, onlyField)) {
      return this.when!.expression.evaluate(this);
    }
    const { foundBytes, foundStart, foundEnd, foundKind } = batch;
    const known = memo.find(foundBytes, foundStart, foundEnd, foundKind);
    if (known >= 0) return known === 1;
    const verdict = this.when!.expression.evaluate(this);
    memo.keep(foundBytes, foundStart, foundEnd, foundKind, verdict);
    return verdict;
  }
}
