import type { OptionProblem } from '../../../core/sdk/index.ts';
import { isLabelName, type Labels } from './metric.ts';

/** The option that adds labels, as Fluent Bit's outputs for metrics have it. */
export const addLabelProperty = {
  type: 'array',
  items: { type: 'string', pattern: '^\\S+\\s+\\S.*$' },
  maxItems: 64,
  description:
    'Labels that every metric gets which has none of that name, each `name value`, such as `cluster north`.',
} as const;

/** Reads `name value` entries. */
export function labelsOf(entries: readonly string[] | undefined): Labels {
  return Object.fromEntries((entries ?? []).map(split));
}

export function checkLabels(entries: readonly string[] | undefined): OptionProblem[] {
  return (entries ?? []).flatMap((entry, at) => {
    const [name] = split(entry);
    if (isLabelName(name)) return [];
    const message = `${JSON.stringify(name)} is no name of a label: use letters, digits and underscores.`;
    return [{ path: ['add_label', String(at)], message }];
  });
}

function split(entry: string): [string, string] {
  const [, name = '', value = ''] = /^\s*(\S+)\s+(.*?)\s*$/s.exec(entry) ?? [];
  return [name, value];
}
