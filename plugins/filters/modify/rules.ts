import {
  type Batch,
  type CompiledRegex,
  type Field,
  topLevel,
  valueKind,
} from '../../../core/sdk/index.ts';
import { Constant, plainColumn } from '../../shared/values/constant.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import { matchTexts } from '../../shared/values/guarded_matching.ts';
import { keyWildcard } from '../../shared/values/key_wildcard.ts';
import type { RecordMembers } from '../../shared/values/record_members.ts';
import { compileRuleRegex, splitRule, unquoted } from '../../shared/values/rule_text.ts';

/** What rules share. */
export interface RuleContext {
  readonly finder: FieldFinder;
  readonly members: RecordMembers;
  field(reference: string): Field;
  declare(field: Field): Field;
  giveUp(batch: Batch, index: number): void;
}

/** Applies one rule to the events that `pending` marks. */
export type Rule = (batch: Batch, pending: Uint8Array) => void;

/** Makes a rule of the kind that the option is called by. Errors: SLUICE_OPTION_INVALID,
 *  SLUICE_REGEX_INVALID. */
export function makeRule(kind: RuleKind, text: string, context: RuleContext): Rule {
  switch (kind) {
    case 'set':
    case 'add':
      return setRule(text, kind === 'add', context);
    case 'remove':
      return removeRule(text, context);
    case 'remove_wildcard': {
      const prefix = unquoted(text.trim()).replace(/\*$/, '');
      return removeKeysRule(context, (keys) => keys.map((key) => key.startsWith(prefix)));
    }
    case 'remove_regex': {
      const regex = compileRuleRegex(unquoted(text.trim()));
      return removeKeysRule(context, (keys) => matchKeys(regex, keys));
    }
    case 'move_to_start':
    case 'move_to_end':
      return moveRule(text, kind === 'move_to_start', context);
    default:
      return transferRule(kind, text, context);
  }
}

export const ruleKinds = [
  'set',
  'add',
  'remove',
  'remove_wildcard',
  'remove_regex',
  'move_to_start',
  'move_to_end',
  'rename',
  'hard_rename',
  'copy',
  'hard_copy',
] as const;

export type RuleKind = (typeof ruleKinds)[number];

/** Keys are those of the top level, dots and all; `$a['b']` and `[a][b]` reach into objects. */
function fieldOfKey(key: string, context: RuleContext): Field {
  return key.startsWith('$') || key.startsWith('[')
    ? context.field(key)
    : context.declare(topLevel(key));
}

function setRule(text: string, onlyMissing: boolean, context: RuleContext): Rule {
  const { head, rest } = splitRule(text, 'KEY VALUE');
  const field = fieldOfKey(head, context);
  const which = context.finder.add(field);
  const value = new Constant(unquoted(rest));
  return (batch, pending) => {
    // hot path
    value.begin();
    const scanned = onlyMissing ? context.finder.scanned(batch, which) : undefined;
    const column = scanned === undefined ? undefined : plainColumn(batch, field);
    for (let index = 0; index < batch.count; index++) {
      if (pending[index] !== 1) continue;
      if (scanned !== undefined && column !== undefined && scanned.slow[index] === 0) {
        if (scanned.start[index]! < 0) value.point(batch, column, index);
        continue;
      }
      if (onlyMissing && context.finder.find(batch, index, which)) continue;
      value.put(batch, index, field);
    }
  };
}

function removeRule(text: string, context: RuleContext): Rule {
  const field = fieldOfKey(unquoted(text.trim()), context);
  return (batch, pending) => {
    for (let index = 0; index < batch.count; index++) {
      if (pending[index] === 1) batch.removeField(index, field);
    }
  };
}

/** `rename`, `hard_rename`, `copy` and `hard_copy`. */
function transferRule(kind: RuleKind, text: string, context: RuleContext): Rule {
  const { head, rest } = splitRule(text, 'KEY NEW_KEY');
  const { finder } = context;
  const from = fieldOfKey(head, context);
  const to = fieldOfKey(unquoted(rest), context);
  const fromNumber = finder.add(from);
  const toNumber = finder.add(to);
  const isHard = kind.startsWith('hard_');
  const isCopy = kind.endsWith('copy');
  const transfer = (batch: Batch, index: number) => {
    if (!isHard && finder.find(batch, index, toNumber)) return;
    if (!finder.find(batch, index, fromNumber)) return;
    const { bytes, start, end, kind: found } = finder;
    const isPlain = bytes === batch.bytes && from.keys.length === 1 && !batch.hasNested;
    if (isPlain && batch.setFieldSpan(index, to, start, end, found)) {
      if (!isCopy) batch.removeField(index, from);
      return;
    }
    const value = Buffer.from(bytes.subarray(start, end));
    if (!isCopy) batch.removeField(index, from);
    batch.setField(index, to, value, found);
  };
  return (batch, pending) => {
    // hot path
    if (from.name === to.name) return;
    const source = isCopy ? undefined : finder.scanned(batch, fromNumber);
    const target = finder.scanned(batch, toNumber);
    const isPlain = source !== undefined && target !== undefined;
    const toColumn = isPlain ? plainColumn(batch, to) : undefined;
    const fromColumn = toColumn === undefined ? undefined : plainColumn(batch, from);
    for (let index = 0; index < batch.count; index++) {
      if (pending[index] !== 1) continue;
      if (isPlain && toColumn !== undefined && fromColumn !== undefined) {
        if (source.slow[index] === 0) {
          const start = source.start[index]!;
          if (start < 0 || (!isHard && target.start[index]! >= 0)) continue;
          batch.setSpan(toColumn, index, start, source.end[index]!, valueKind.json);
          fromColumn.kind[index] = valueKind.removed;
          continue;
        }
      }
      transfer(batch, index);
    }
  };
}

/** Undefined when the expression was given up. */
function matchKeys(regex: CompiledRegex, keys: readonly string[]): boolean[] | undefined {
  const results = keys.map(() => false);
  const givenUp = matchTexts(regex, keys, (position) => {
    results[position] = regex.test(keys[position]!);
  });
  return givenUp.length > 0 ? undefined : results;
}

type KeyChoice = (keys: readonly string[]) => boolean[] | undefined;

/** Keys come from the data, so the event is written anew: a column for each would use them up. */
function removeKeysRule(context: RuleContext, choose: KeyChoice): Rule {
  const { members } = context;
  return (batch, pending) => {
    for (let index = 0; index < batch.count; index++) {
      if (pending[index] !== 1) continue;
      members.load(batch, index);
      const chosen = choose(members.keys);
      if (chosen === undefined) {
        pending[index] = 0;
        context.giveUp(batch, index);
      } else if (chosen.includes(true)) {
        members.start();
        for (let member = 0; member < members.count; member++) {
          if (!chosen[member]) members.add(member);
        }
        replaceRoot(batch, index, context);
      }
    }
  };
}

function moveRule(text: string, toStart: boolean, context: RuleContext): Rule {
  const isMoved = keyWildcard(unquoted(text.trim()));
  const { members } = context;
  return (batch, pending) => {
    for (let index = 0; index < batch.count; index++) {
      if (pending[index] !== 1) continue;
      members.load(batch, index);
      members.start();
      for (const moved of toStart ? [true, false] : [false, true]) {
        for (let member = 0; member < members.count; member++) {
          if (isMoved(members.keys[member]!) === moved) members.add(member);
        }
      }
      replaceRoot(batch, index, context);
    }
  };
}

function replaceRoot(batch: Batch, index: number, context: RuleContext): void {
  batch.replaceRoot(index, context.members.take());
  context.finder.rootChanged(index);
}
