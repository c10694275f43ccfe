import {
  type Batch,
  type BatchFilter,
  type Field,
  type PluginContext,
  topLevel,
  valueKind,
} from '../../../core/sdk/index.ts';
import { Constant } from '../../shared/values/constant.ts';
import { keyWildcard } from '../../shared/values/key_wildcard.ts';
import { RecordMembers } from '../../shared/values/record_members.ts';
import { splitRule, unquoted } from '../../shared/values/rule_text.ts';
import type { Options } from './config.ts';
import { recordUuid } from './record_uuid.ts';

type KeyTest = (key: string) => boolean;

/** Takes fields away, then sets fields. */
export class RecordModifierFilter implements BatchFilter {
  readonly mixesSources: boolean;
  private readonly removed: readonly Field[];
  /** Which keys stay, when that has to be asked key by key. */
  private readonly stays: KeyTest | undefined;
  private readonly records: readonly { readonly field: Field; readonly value: Constant }[];
  private readonly uuidField: Field | undefined;
  private readonly members = new RecordMembers();

  constructor(options: Options, context: PluginContext) {
    const removed = options.remove_key ?? [];
    const allowed = [...(options.allowlist_key ?? []), ...(options.whitelist_key ?? [])];
    this.removed = removed.filter((key) => !key.endsWith('*')).map(fieldOfKey(context));
    const gone = removed.filter((key) => key.endsWith('*')).map(keyWildcard);
    const kept = allowed.map(keyWildcard);
    if (allowed.length > 0) this.stays = (key) => kept.some((test) => test(key));
    else if (gone.length > 0) this.stays = (key) => !gone.some((test) => test(key));
    this.records = (options.record ?? []).map((text) => {
      const { head, rest } = splitRule(text, 'KEY VALUE');
      return { field: fieldOfKey(context)(head), value: new Constant(unquoted(rest)) };
    });
    const { uuid_key: uuidKey } = options;
    this.mixesSources = uuidKey === undefined;
    this.uuidField = uuidKey === undefined ? undefined : context.field(uuidKey);
  }

  process(batch: Batch): void {
    // hot path
    if (this.stays !== undefined) this.chooseMembers(batch, this.stays);
    for (const field of this.removed) {
      for (let index = 0; index < batch.count; index++) {
        if (batch.select[index] === 1) batch.removeField(index, field);
      }
    }
    for (const { field, value } of this.records) {
      value.begin();
      value.putSelected(batch, field);
    }
    if (this.uuidField !== undefined) this.putUuids(batch, this.uuidField);
  }

  private chooseMembers(batch: Batch, stays: KeyTest): void {
    const { members } = this;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      members.load(batch, index);
      if (members.keys.every(stays)) continue;
      members.start();
      for (let member = 0; member < members.count; member++) {
        if (stays(members.keys[member]!)) members.add(member);
      }
      batch.replaceRoot(index, members.take());
    }
  }

  private putUuids(batch: Batch, field: Field): void {
    const { generation } = batch.source;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      const uuid = recordUuid(generation, batch.offset[index]!, batch.part[index]!);
      batch.setField(index, field, Buffer.from(uuid), valueKind.text);
    }
  }
}

/** Keys are those of the top level, dots and all; `$a['b']` and `[a][b]` reach into objects. */
function fieldOfKey(context: PluginContext): (key: string) => Field {
  return (key) =>
    key.startsWith('$') || key.startsWith('[')
      ? context.field(key)
      : context.declare(topLevel(key));
}
