import { type BatchFilter, defineFilter, type PluginContext } from '../../../core/sdk/index.ts';
import { ParseStage } from '../../shared/parsing/parse_stage.ts';
import { type Options, schema } from './config.ts';

export const plugin = defineFilter<Options>({
  name: 'parser',
  summary: 'Parses a field of each record, by default the raw line.',
  stability: 'beta',
  isStateless: true,
  schema,
  example: `parsers:
  - name: service
    format: logfmt
    time_key: ts
pipeline:
  inputs:
    - name: stdin
      tag: app
  filters:
    - name: parser
      match: app
      parser: [json, service]
  outputs:
    - name: stdout
      match: '*'
`,
  create: createParserFilter,
});

function createParserFilter(options: Options, context: PluginContext): BatchFilter {
  const stage = new ParseStage(
    {
      parsers: options.parser.map((name) => context.parser(name)),
      field: options.key_name === undefined ? undefined : context.field(options.key_name),
      reserveData: options.reserve_data ?? false,
      preserveKey: options.preserve_key ?? false,
      failureMarks: options.tag_on_failure ?? ['_parserfailure'],
    },
    context,
  );
  return {
    mixesSources: true,
    process: (batch) => stage.process(batch),
    close: async () => stage.close(),
  };
}
