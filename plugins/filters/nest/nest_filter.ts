import { type Batch, type BatchFilter, type Field, topLevel } from '../../../core/sdk/index.ts';
import { keyWildcard } from '../../shared/values/key_wildcard.ts';
import { RecordMembers } from '../../shared/values/record_members.ts';
import type { Options } from './config.ts';

/** Moves fields into an object, or an object's members to the top. Keys come from the data, so
 *  events are written anew instead of being edited column by column. */
export class NestFilter implements BatchFilter {
  readonly mixesSources = true;
  private readonly options: Options;
  private readonly isNested: (key: string) => boolean;
  private readonly container: Field;
  private readonly outer = new RecordMembers();
  private readonly inner = new RecordMembers();

  constructor(options: Options) {
    this.options = options;
    const tests = (options.wildcard ?? []).map(keyWildcard);
    this.isNested = (key) => tests.some((test) => test(key));
    this.container = topLevel(options.nest_under ?? options.nested_under ?? '');
  }

  process(batch: Batch): void {
    const nests = this.options.operation === 'nest';
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      if (nests) this.nest(batch, index);
      else this.lift(batch, index);
    }
  }

  /** An object that has the key already takes the fields in; another value is replaced. */
  private nest(batch: Batch, index: number): void {
    const { outer, inner } = this;
    const key = this.container.keys[0]!;
    outer.load(batch, index);
    const isMoved = outer.keys.map((name) => name !== key && this.isNested(name));
    if (!isMoved.includes(true)) return;
    const movedKeys = new Set(
      outer.keys.filter((_, member) => isMoved[member]).map((name) => this.newKey(name)),
    );
    inner.start();
    if (this.loadObject(outer, outer.indexOf(key))) {
      for (let member = 0; member < inner.count; member++) {
        if (!movedKeys.has(inner.keys[member]!)) inner.add(member);
      }
    }
    for (let member = 0; member < outer.count; member++) {
      if (!isMoved[member]) continue;
      const { bytes, valueStart, valueEnd } = outer;
      const name = this.newKey(outer.keys[member]!);
      inner.addRaw(name, bytes, valueStart[member]!, valueEnd[member]!);
    }
    outer.start();
    for (let member = 0; member < outer.count; member++) {
      if (!isMoved[member] && outer.keys[member] !== key) outer.add(member);
    }
    outer.addRaw(key, inner.take());
    batch.replaceRoot(index, outer.take());
  }

  /** What is not an object stays. A lifted member replaces a field that has its key. */
  private lift(batch: Batch, index: number): void {
    const { outer, inner } = this;
    if (!batch.locate(index, this.container)) return;
    outer.load(batch, index);
    const container = outer.indexOf(this.container.keys[0]!);
    if (!this.loadObject(outer, container)) return;
    const lifted = new Set(inner.keys.map((name) => this.newKey(name)));
    outer.start();
    for (let member = 0; member < outer.count; member++) {
      const key = outer.keys[member]!;
      if (key !== this.container.keys[0] && !lifted.has(key)) outer.add(member);
    }
    for (let member = 0; member < inner.count; member++) {
      const { bytes, valueStart, valueEnd } = inner;
      const name = this.newKey(inner.keys[member]!);
      outer.addRaw(name, bytes, valueStart[member]!, valueEnd[member]!);
    }
    batch.replaceRoot(index, outer.take());
  }

  /** Reads a member of `from` into `inner`; false when it is missing or no object. */
  private loadObject(from: RecordMembers, member: number): boolean {
    if (member < 0 || from.bytes[from.valueStart[member]!] !== 0x7b) return false;
    this.inner.loadObject(from.bytes, from.valueStart[member]!, from.valueEnd[member]!);
    return true;
  }

  private newKey(key: string): string {
    const { remove_prefix: removed = '', add_prefix: added = '' } = this.options;
    return added + (removed !== '' && key.startsWith(removed) ? key.slice(removed.length) : key);
  }
}
