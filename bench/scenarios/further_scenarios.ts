import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';
import { accessFilters, bulkOutput, pipelineText } from './pipeline_text.ts';
import type { Scenario } from './scenario.ts';

function diskScenario(durability: 'interval' | 'fsync', bar: number): Scenario {
  return {
    id: `S5.${durability}`,
    title: `S1 through the disk buffer, durability ${durability}`,
    parts: ['access'],
    bar,
    pipeline: (facts) =>
      pipelineText(facts, {
        filters: accessFilters,
        output: bulkOutput(
          facts,
          `, storage.type: filesystem, storage.durability: ${durability}, storage.total_limit_size: 8GB`,
        ),
      }),
  };
}

/** S1, then country and browser, and one output condition that every record meets. */
const s6: Scenario = {
  id: 'S6',
  title: 'S1 + GeoIP + user agent (cached) + one `when`',
  parts: ['access'],
  bar: 6,
  pipeline: (facts) =>
    pipelineText(facts, {
      filters: [
        ...accessFilters,
        lookups(),
        `{name: modify, match: '*', when: 'response >= "500"', add: 'alert yes'}`,
      ],
      output: bulkOutput(facts),
    }),
};

/** Country and browser. */
export function lookups(): string {
  const geoip = `{key: clientip, database: '${geoDatabase()}'}`;
  return `{name: enrich, match: '*', geoip: ${geoip}, user_agent: {key: agent}}`;
}

/** The file of a plugin. */
export function thirdPartyFilter(form: 'view' | 'object'): string {
  return join(projectRoot(), 'bench', 'scenarios', `third_party_${form}.mjs`);
}

function geoDatabase(): string {
  const require = createRequire(join(projectRoot(), 'package.json'));
  const name = '@ip-location-db/geo-whois-asn-country-mmdb';
  return join(dirname(require.resolve(`${name}/package.json`)), 'geo-whois-asn-country.mmdb');
}

function thirdPartyScenario(form: 'view' | 'object', bar: number): Scenario {
  return {
    id: `S7.${form}`,
    title: `S1 + a third-party per-event filter, ${form === 'view' ? 'lazy view' : 'plain object'}`,
    parts: ['access'],
    bar,
    pipeline: (facts) =>
      pipelineText(facts, {
        plugins: [thirdPartyFilter(form)],
        filters: [...accessFilters, `{name: third_party_${form}, match: '*'}`],
        output: bulkOutput(facts),
      }),
  };
}

/** Two files at once: a Java application's own log, whose traces are joined, and a container's,
 *  whose partial lines are. `tail` takes the first multiline parser that fits a line, so traces
 *  inside container lines would stay apart. */
const s8: Scenario = {
  id: 'S8',
  title: 'CRI lines + multiline Java → Elasticsearch',
  parts: ['java', 'cri'],
  joinsLines: true,
  bar: 4,
  pipeline: (facts) =>
    pipelineText(facts, {
      inputOptions: ['multiline.parser: java', 'multiline.parser: cri'],
      output: bulkOutput(facts),
    }),
};

export const furtherScenarios: readonly Scenario[] = [
  diskScenario('interval', 4),
  diskScenario('fsync', 6),
  s6,
  thirdPartyScenario('view', 6),
  thirdPartyScenario('object', 13),
  s8,
];
