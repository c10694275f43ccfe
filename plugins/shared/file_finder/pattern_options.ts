/** Which files an input reads. */
export const patternProperties = {
  path: {
    'x-type': 'comma_list',
    minItems: 1,
    description:
      'Files to read: paths and patterns with `*`, `**` (any directories), `?`, `[..]` and `{a,b}`, separated by commas; relative ones start at the directory of the pipeline file.',
  },
  exclude_path: {
    'x-type': 'comma_list',
    description:
      'Patterns of files to leave out, separated by commas; one without a slash is about the file name in any directory.',
  },
} as const;

export interface PatternOptions {
  readonly path: readonly string[];
  readonly exclude_path?: readonly string[];
}
