import type { ComparisonOperator } from './ast.ts';
import { severityRank } from './severity.ts';

/** Compares two values of records as the condition language does. A missing value (undefined), or two
 *  values that cannot be ordered, make every comparison false except `!=` between present values. */
export function compareValues(
  operator: ComparisonOperator,
  left: unknown,
  right: unknown,
  severityOnly = false,
): boolean {
  if (left === undefined || right === undefined) return false;
  if (operator === '==') return equalValues(left, right);
  if (operator === '!=') return !equalValues(left, right);
  const order = orderOf(left, right, severityOnly);
  if (order === undefined) return false;
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  if (operator === '>') return order > 0;
  return order >= 0;
}

/** Equality: severity words by rank, a number and a text that looks like one by number, else exact. */
export function equalValues(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left === 'string' && typeof right === 'string') {
    const leftRank = severityRank(left);
    return leftRank !== undefined && leftRank === severityRank(right);
  }
  const leftNumber = numberOf(left);
  if (leftNumber === undefined) return false;
  const rightNumber = numberOf(right);
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number are equal by value only with ==.
  return rightNumber !== undefined && leftNumber == rightNumber;
}

/** Negative, zero or positive; undefined when the two have no order. */
function orderOf(left: unknown, right: unknown, severityOnly: boolean): number | undefined {
  if (typeof left === 'string' && typeof right === 'string') {
    const leftRank = severityRank(left);
    const rightRank = leftRank === undefined ? undefined : severityRank(right);
    if (leftRank !== undefined && rightRank !== undefined) return leftRank - rightRank;
    if (severityOnly) return undefined;
    if (left === right) return 0;
    return left < right ? -1 : 1;
  }
  const leftNumber = numberOf(left);
  const rightNumber = numberOf(right);
  if (leftNumber === undefined || rightNumber === undefined) return undefined;
  if (leftNumber < rightNumber) return -1;
  if (leftNumber > rightNumber) return 1;
  // NaN has no order: neither smaller, nor larger, nor equal.
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number are equal by value only with ==.
  return leftNumber == rightNumber ? 0 : undefined;
}

const numberText = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const numberLengthMax = 64;

/** The number that a value is, or that its text spells; undefined for anything else. */
export function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value !== 'string' || value.length > numberLengthMax) return undefined;
  return numberText.test(value) ? Number(value) : undefined;
}
