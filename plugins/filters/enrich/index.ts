import { defineFilter } from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { EnrichFilter } from './enrich_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'enrich',
  summary: 'Adds what records do not say: places, devices, tables, host facts, fixed fields.',
  stability: 'beta',
  isStateless: true,
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: access
  filters:
    - name: parser
      match: access
      parser: apache2
    - name: enrich
      match: access
      user_agent: [{key: agent, target: user_agent}]
      host: host
      environment: {region: DEPLOY_REGION}
      set:
        service.name: shop
        summary: '%{method} %{path}'
  outputs:
    - name: stdout
      match: '*'
`,
  create: (options, context) => new EnrichFilter(options, context),
});
