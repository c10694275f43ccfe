import { defineParser } from '../../../core/sdk/index.ts';
import { checkParserOptions } from '../../shared/parsing/check_options.ts';
import { type Options, schema } from './config.ts';
import { SyslogParser } from './syslog_parser.ts';

export const plugin = defineParser<Options>({
  name: 'syslog',
  summary: 'Reads syslog messages of RFC 3164 and RFC 5424.',
  stability: 'beta',
  isStateless: () => true,
  schema,
  example: `parsers:
  - name: system
    format: syslog
    time_zone: Europe/Berlin
pipeline:
  inputs:
    - name: stdin
      tag: system
  filters:
    - name: parser
      match: system
      parser: system
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkParserOptions,
  create: (options, context) => new SyslogParser(options, context),
});
