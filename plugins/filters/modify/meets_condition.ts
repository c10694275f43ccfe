import type { Batch, CompiledRegex } from '../../../core/sdk/index.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import { FieldRegex, matchVerdict } from '../../shared/values/field_regex.ts';
import { matchTexts } from '../../shared/values/guarded_matching.ts';
import type { RecordMembers } from '../../shared/values/record_members.ts';
import type { Condition } from './condition.ts';

/** What conditions share. */
export interface ConditionContext {
  readonly finder: FieldFinder;
  readonly members: RecordMembers;
  /** A regular expression was given up on the event: no rule applies to it. */
  giveUp(batch: Batch, index: number): void;
}

/** Takes the events that do not meet a condition out of `pending`. */
export type ConditionTest = (batch: Batch, pending: Uint8Array) => void;

export function conditionTest(condition: Condition, context: ConditionContext): ConditionTest {
  switch (condition.kind) {
    case 'matches':
      return valueTest(condition, context);
    case 'anyKey':
    case 'values':
      return memberTest(condition, context);
    default: {
      const which = context.finder.add(condition.field);
      const isMet = (batch: Batch, index: number) => {
        const found = context.finder.find(batch, index, which);
        if (condition.kind === 'exists') return found === condition.holds;
        // As in Fluent Bit, a missing field is neither equal nor unequal.
        return found && (context.finder.text() === condition.text) === condition.holds;
      };
      return (batch, pending) => {
        for (let index = 0; index < batch.count; index++) {
          if (pending[index] === 1 && !isMet(batch, index)) pending[index] = 0;
        }
      };
    }
  }
}

function valueTest(
  condition: Extract<Condition, { kind: 'matches' }>,
  context: ConditionContext,
): ConditionTest {
  const which = context.finder.add(condition.field);
  const regex = new FieldRegex(context.finder, which, condition.regex);
  return (batch, pending) => {
    const verdicts = regex.test(batch, pending);
    for (let index = 0; index < batch.count; index++) {
      if (pending[index] !== 1) continue;
      const verdict = verdicts[index];
      const isPresent = context.finder.find(batch, index, which);
      if (verdict === matchVerdict.givenUp) context.giveUp(batch, index);
      const isMet =
        isPresent && verdict === (condition.holds ? matchVerdict.matched : matchVerdict.missed);
      if (!isMet) pending[index] = 0;
    }
  };
}

function memberTest(
  condition: Extract<Condition, { kind: 'anyKey' | 'values' }>,
  context: ConditionContext,
): ConditionTest {
  const { members } = context;
  return (batch, pending) => {
    for (let index = 0; index < batch.count; index++) {
      if (pending[index] !== 1) continue;
      members.load(batch, index);
      const isMet =
        condition.kind === 'anyKey' ? anyKey(condition, members) : allValues(condition, members);
      if (isMet === undefined) context.giveUp(batch, index);
      if (isMet !== true) pending[index] = 0;
    }
  };
}

/** Undefined when the expression was given up. */
function anyKey(
  condition: Extract<Condition, { kind: 'anyKey' }>,
  members: RecordMembers,
): boolean | undefined {
  const matches = matchAll(condition.regex, members.keys);
  return matches === undefined ? undefined : matches.includes(true) === condition.holds;
}

function allValues(
  condition: Extract<Condition, { kind: 'values' }>,
  members: RecordMembers,
): boolean | undefined {
  const matches = matchAll(condition.keys, members.keys);
  if (matches === undefined) return undefined;
  const texts = matches.flatMap((isMatch, member) => (isMatch ? [members.textAt(member)] : []));
  return matchAll(condition.values, texts)?.every((isMatch) => isMatch === condition.holds);
}

function matchAll(regex: CompiledRegex, texts: readonly string[]): boolean[] | undefined {
  const results = texts.map(() => false);
  const givenUp = matchTexts(regex, texts, (position) => {
    results[position] = regex.test(texts[position]!);
  });
  return givenUp.length > 0 ? undefined : results;
}
