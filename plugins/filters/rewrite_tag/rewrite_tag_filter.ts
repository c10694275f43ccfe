import {
  type Batch,
  type BatchFilter,
  ByteWriter,
  type Counter,
  type DerivedEmitter,
  dropReason,
  JsonEventEncoder,
  type PluginContext,
} from '../../../core/sdk/index.ts';
import { derivedPart } from '../../shared/values/derived_part.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import { FieldRegex, matchVerdict } from '../../shared/values/field_regex.ts';
import { regexTimeoutMark } from '../../shared/values/guarded_matching.ts';
import type { Options } from './config.ts';
import { parseRule, type RewriteRule, type TagPiece } from './rule.ts';

interface CompiledRule extends RewriteRule {
  readonly which: number;
  readonly test: FieldRegex;
  /** The tag asks for groups of the match. */
  readonly hasGroups: boolean;
}

interface Copy {
  readonly index: number;
  readonly tag: string;
  readonly part: number;
  readonly start: number;
  readonly end: number;
}

const tagLengthMax = 1024;

/** Sends records back to the first filter under another tag. */
export class RewriteTagFilter implements BatchFilter {
  private readonly context: PluginContext;
  private readonly finder: FieldFinder;
  private readonly rules: readonly CompiledRule[];
  private readonly timeouts: Counter;
  private readonly encoder = new JsonEventEncoder();
  private readonly writer = new ByteWriter(4096);
  private pending = new Uint8Array(0);

  constructor(options: Options, context: PluginContext) {
    this.context = context;
    this.finder = new FieldFinder(context.kernel);
    this.timeouts = context.metrics.counter('sluice_regex_timeouts_total');
    this.rules = options.rule.map((text) => {
      const rule = parseRule(text);
      const which = this.finder.add(context.field(rule.key));
      const test = new FieldRegex(this.finder, which, rule.regex);
      return { ...rule, which, test, hasGroups: rule.tag.some((piece) => piece.kind === 'group') };
    });
  }

  process(batch: Batch, emitter: DerivedEmitter): void {
    this.finder.begin(batch);
    if (this.pending.length < batch.count) this.pending = new Uint8Array(batch.capacity);
    this.pending.set(batch.select.subarray(0, batch.count));
    const copies: Copy[] = [];
    this.writer.clear();
    this.rules.forEach((rule, number) => {
      this.apply(rule, number, batch, copies);
    });
    if (copies.length > 0) this.emit(batch, copies, emitter);
  }

  async close(): Promise<void> {
    this.finder.close();
  }

  private apply(rule: CompiledRule, number: number, batch: Batch, copies: Copy[]): void {
    const verdicts = rule.test.test(batch, this.pending);
    for (let index = 0; index < batch.count; index++) {
      if (this.pending[index] !== 1 || verdicts[index] === matchVerdict.missed) continue;
      this.pending[index] = 0;
      if (verdicts[index] === matchVerdict.givenUp) {
        this.timeouts.value++;
        batch.addMark(index, regexTimeoutMark);
        continue;
      }
      const old = batch.tagName(index);
      const tag = this.newTag(rule, batch, index, old);
      // A record that has the tag already would only go round in a circle.
      if (tag === '' || tag === old) continue;
      const start = this.writer.length;
      this.encoder.write(batch, index, this.writer);
      const parent = batch.part[index]!;
      const part = rule.keep ? derivedPart(parent, 0, `${this.context.id}/${number}`) : parent;
      copies.push({ index, tag, part, start, end: this.writer.length });
      if (!rule.keep) batch.dropped[index] = dropReason.retagged;
    }
  }

  private newTag(rule: CompiledRule, batch: Batch, index: number, old: string): string {
    let groups: readonly (string | undefined)[] = [];
    if (rule.hasGroups && this.finder.find(batch, index, rule.which)) {
      const text = this.finder.text();
      const match = rule.regex.exec(text);
      if (match !== null) groups = [text.slice(match.index, match.end), ...match.captures];
    }
    let tag = '';
    for (const piece of rule.tag) tag += pieceText(piece, groups, batch, index, old);
    // Control characters would break the lines of metrics and logs that name the tag.
    return tag.slice(0, tagLengthMax).replace(/\p{Cc}/gu, '_');
  }

  private emit(batch: Batch, copies: readonly Copy[], emitter: DerivedEmitter): void {
    const derived = emitter.derive(batch, copies.length, this.writer.length);
    const at = derived.dataStart;
    this.writer.buffer.copy(derived.bytes, at, 0, this.writer.length);
    for (const { index, tag, part, start, end } of copies) {
      const made = derived.addDerived(batch, index, part);
      derived.setRoot(made, at + start, at + end);
      derived.setTag(made, tag);
    }
    emitter.forward(derived, 'first');
  }
}

/** What a record does not have is empty. */
function pieceText(
  piece: TagPiece,
  groups: readonly (string | undefined)[],
  batch: Batch,
  index: number,
  tag: string,
): string {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'group':
      return groups[piece.group] ?? '';
    case 'field':
      return batch.textAt(index, piece.field) ?? '';
    case 'tag':
      return tag;
    case 'tagPart':
      return tag.split('.')[piece.index] ?? '';
  }
}
