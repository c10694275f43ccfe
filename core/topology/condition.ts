import type { Batch } from '../batch/batch.ts';
import { type Field, fieldOf } from '../batch/field.ts';
import { isClear } from '../batch/masks.ts';
import type { FieldPath } from '../config/field_path.ts';
import type { Expression, FieldReader } from '../expression/expression.ts';
import type { TagMatcher } from './tag_matcher.ts';

/** Which events of a batch a filter or an output concerns: by tag and `when`. */
export class Condition implements FieldReader {
  private readonly tags: TagMatcher;
  private readonly when: Expression | undefined;
  private readonly fields = new Map<FieldPath, Field>();
  private batch!: Batch;
  private index = 0;

  constructor(tags: TagMatcher, when: Expression | undefined) {
    this.tags = tags;
    this.when = when;
    for (const path of when?.fields ?? []) this.fields.set(path, fieldOf(path.keys, path.literal));
  }

  /** Sets `select` for the live events that are wanted and returns their number. */
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

  wantsTag(tag: string): boolean {
    return this.tags.matches(tag);
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
    let selected = 0;
    for (let index = 0; index < batch.count; index++) {
      if (select[index] !== 1) continue;
      this.index = index;
      if (this.when!.evaluate(this)) selected++;
      else select[index] = 0;
    }
    return selected;
  }
}
