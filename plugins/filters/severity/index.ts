import { defineFilter } from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { SeverityFilter } from './severity_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'severity',
  summary: 'Writes the levels of all programs in the same words, and as comparable numbers.',
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
    - name: severity
      match: app
      key: level
      number_target: severity_number
  outputs:
    - name: stdout
      match: '*'
      when: level >= "WARN"
`,
  create: (options, context) => new SeverityFilter(options, context),
});
