import { lowerGrok } from '../../../core/sdk/index.ts';
import type { GrokPattern } from './grok.ts';

type Lowered = ReturnType<typeof lowerGrok>;
type GroupTarget = NonNullable<Parameters<typeof lowerGrok>[1]>[number];

/** A pattern as a program for the kernel, or the reason why only the regular expression can run
 *  it. `fieldOf` names the field of each capture. */
export function lowerPattern(
  { ast, captures }: GrokPattern,
  fieldOf: (capture: number) => string = (capture) => captures[capture]!.field,
): Lowered {
  const groups: GroupTarget[] = [];
  for (const [i, { group, type }] of captures.entries()) {
    if (type === 'boolean') return { reason: 'it converts to a boolean' };
    const isInteger = type === 'int' || type === 'long';
    const conversion = type === 'string' ? 'text' : isInteger ? 'int' : 'float';
    groups.push({ group, field: fieldOf(i), conversion });
  }
  return lowerGrok(ast, groups);
}
