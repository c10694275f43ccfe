import { defineParser, messageOf, type OptionProblem } from '../../../core/sdk/index.ts';
import { checkParserOptions } from '../../shared/parsing/check_options.ts';
import { type Options, schema } from './config.ts';
import { compileWritten, RegexParser } from './regex_parser.ts';

export const plugin = defineParser<Options>({
  name: 'regex',
  summary: 'Takes texts apart with a regular expression whose named groups are the fields.',
  stability: 'beta',
  isStateless: () => true,
  schema,
  example: `parsers:
  - name: greeting
    format: regex
    regex: '^(?<time>\\S+) (?<level>[A-Z]+) (?<message>.*)$'
    time_key: time
    time_format: '%Y-%m-%dT%H:%M:%S.%L%z'
pipeline:
  inputs:
    - name: stdin
      tag: app
  filters:
    - name: parser
      match: app
      parser: greeting
  outputs:
    - name: stdout
      match: '*'
`,
  check: (options) => [...checkParserOptions(options), ...checkRegex(options)],
  create: (options, context) => new RegexParser(options, context),
});

function checkRegex(options: Options): OptionProblem[] {
  try {
    if (compileWritten(options.regex).groupNames.length > 0) return [];
    return [
      { path: ['regex'], message: 'The expression has no named group such as (?<level>\\w+).' },
    ];
  } catch (error) {
    return [{ path: ['regex'], message: messageOf(error) }];
  }
}
