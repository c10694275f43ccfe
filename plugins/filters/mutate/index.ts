import {
  compileFieldPath,
  compileRegex,
  defineFilter,
  messageOf,
  type OptionProblem,
} from '../../../core/sdk/index.ts';
import { TextTemplate } from '../../shared/values/text_template.ts';
import { type Options, schema } from './config.ts';
import { gsubRules, MutateFilter } from './mutate_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'mutate',
  summary: 'Renames, converts, sets, copies and removes fields, and changes their texts.',
  description:
    'The operations run in a fixed order, whatever the order in the file: coerce, rename, update, replace, convert, gsub, uppercase, capitalize, lowercase, strip, split, join, merge, copy, set, remove, add_tag, remove_tag. For another order, use several mutate filters.',
  stability: 'beta',
  isStateless: true,
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: app
  filters:
    - name: parser
      match: app
      parser: json
    - name: mutate
      match: app
      rename: {msg: message, lvl: level}
      convert: {status: integer}
      lowercase: [level]
      set: {env: production, route: '%{method} %{path}'}
      remove: [internal]
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkOptions,
  create: (options, context) => new MutateFilter(options, context),
});

const keyedByField = [
  'coerce',
  'rename',
  'update',
  'replace',
  'convert',
  'split',
  'join',
  'merge',
  'copy',
  'set',
] as const;

function checkOptions(options: Options): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const attempt = (path: readonly string[], make: () => unknown) => {
    try {
      make();
    } catch (error) {
      problems.push({ path, message: messageOf(error) });
    }
  };
  for (const name of keyedByField) {
    for (const key of Object.keys(options[name] ?? {})) {
      attempt([name, key], () => compileFieldPath(key));
    }
  }
  for (const name of ['coerce', 'update', 'replace', 'set'] as const) {
    for (const [key, value] of Object.entries(options[name] ?? {})) {
      if (typeof value === 'string') attempt([name, key], () => new TextTemplate(value));
    }
  }
  for (const name of ['add_tag', 'remove_tag'] as const) {
    for (const tag of options[name] ?? []) attempt([name], () => new TextTemplate(tag));
  }
  checkGsub(options, attempt, problems);
  return problems;
}

function checkGsub(
  options: Options,
  attempt: (path: readonly string[], make: () => unknown) => void,
  problems: OptionProblem[],
): void {
  const entries = options.gsub ?? [];
  if (entries.flat().filter((entry) => typeof entry === 'string').length % 3 !== 0) {
    problems.push({
      path: ['gsub'],
      message: 'The texts of gsub come in threes: field, pattern, replacement.',
    });
  }
  for (const { field, pattern, replacement } of gsubRules(entries)) {
    attempt(['gsub'], () => compileFieldPath(field));
    attempt(['gsub'], () => compileRegex(pattern));
    attempt(['gsub'], () => new TextTemplate(replacement));
  }
}
