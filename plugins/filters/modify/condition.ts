import { type CompiledRegex, type Field, SluiceError } from '../../../core/sdk/index.ts';
import { compileRuleRegex, splitRule, takeWord, unquoted } from '../../shared/values/rule_text.ts';

/** A condition of Fluent Bit's `modify`. */
export type Condition =
  | { readonly kind: 'exists'; readonly field: Field; readonly holds: boolean }
  | {
      readonly kind: 'equals';
      readonly field: Field;
      readonly text: string;
      readonly holds: boolean;
    }
  | {
      readonly kind: 'matches';
      readonly field: Field;
      readonly regex: CompiledRegex;
      readonly holds: boolean;
    }
  /** Some key matches. */
  | { readonly kind: 'anyKey'; readonly regex: CompiledRegex; readonly holds: boolean }
  /** The value of every key that matches does, or does not, match too. */
  | {
      readonly kind: 'values';
      readonly keys: CompiledRegex;
      readonly values: CompiledRegex;
      readonly holds: boolean;
    };

const names =
  'Key_exists, Key_does_not_exist, A_key_matches, No_key_matches, Key_value_equals, Key_value_does_not_equal, Key_value_matches, Key_value_does_not_match, Matching_keys_have_matching_values or Matching_keys_do_not_have_matching_values';

/** Parses a condition. Errors: SLUICE_OPTION_INVALID, SLUICE_REGEX_INVALID. */
export function parseCondition(text: string, field: (reference: string) => Field): Condition {
  const { head, rest } = takeWord(text);
  if (rest === '') throw invalid(text);
  const name = head.toLowerCase();
  const pair = () => splitRule(rest, `${head} KEY VALUE`);
  switch (name) {
    case 'key_exists':
    case 'key_does_not_exist':
      return { kind: 'exists', field: field(unquoted(rest)), holds: name === 'key_exists' };
    case 'a_key_matches':
    case 'no_key_matches': {
      const regex = compileRuleRegex(unquoted(rest));
      return { kind: 'anyKey', regex, holds: name === 'a_key_matches' };
    }
    case 'key_value_equals':
    case 'key_value_does_not_equal': {
      const rule = pair();
      const holds = name === 'key_value_equals';
      return { kind: 'equals', field: field(rule.head), text: unquoted(rule.rest), holds };
    }
    case 'key_value_matches':
    case 'key_value_does_not_match': {
      const rule = pair();
      const regex = compileRuleRegex(unquoted(rule.rest));
      return {
        kind: 'matches',
        field: field(rule.head),
        regex,
        holds: name === 'key_value_matches',
      };
    }
    case 'matching_keys_have_matching_values':
    case 'matching_keys_do_not_have_matching_values': {
      const rule = pair();
      const keys = compileRuleRegex(rule.head);
      const values = compileRuleRegex(unquoted(rule.rest));
      return { kind: 'values', keys, values, holds: name === 'matching_keys_have_matching_values' };
    }
    default:
      throw invalid(text);
  }
}

function invalid(text: string): SluiceError {
  return new SluiceError(
    'SLUICE_OPTION_INVALID',
    `"${text.slice(0, 80)}" is no condition: begin it with ${names}, and say the key.`,
  );
}
