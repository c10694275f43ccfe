import { defineFilter } from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { MultilineFilter } from './multiline_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'multiline',
  summary: 'Joins records that are lines of one message, such as stack traces.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: tail
      path: /var/log/containers/*.log
      multiline.parser: cri
      tag: kube.*
  filters:
    - name: multiline
      match: kube.*
      multiline.key_content: log
      multiline.parser: java
  outputs:
    - name: stdout
      match: '*'
`,
  check(options) {
    const names = options['multiline.parser'] ?? [];
    if (options.mode === 'partial_message') {
      if (names.length === 0) return [];
      const message = 'Mode partial_message goes by fields: leave multiline.parser out.';
      return [{ path: ['multiline.parser'], message }];
    }
    if (names.length > 0) return [];
    return [{ path: [], message: 'Name the multiline parsers: multiline.parser.' }];
  },
  create: (options, context) => new MultilineFilter(options, context),
});
