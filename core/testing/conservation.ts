import assert from 'node:assert/strict';
import type { Metrics } from '../telemetry/metrics.ts';

/** Asserts the law for every component: `in + created = out + filtered + merged + dead_lettered +
 *  dropped + returned + in_flight`, with nothing negative, and, when the agent has drained, nothing in
 *  flight. */
export function assertConservation(metrics: Metrics, options: { drained: boolean }): void {
  const components = new Map<string, Map<string, number>>();
  for (const { name, labels, value } of metrics.all()) {
    if (!name.startsWith('sluice_records_')) continue;
    const component = /component="[^"]*",kind="[^"]*"/.exec(labels)?.[0] ?? labels;
    const of = components.get(component) ?? new Map<string, number>();
    of.set(name, (of.get(name) ?? 0) + value);
    components.set(component, of);
    assert.ok(value >= 0, `${name}{${labels}} is ${value}`);
  }
  assertEdges(metrics);
  for (const [component, of] of components) {
    if (!of.has('sluice_records_in_total')) continue;
    const get = (name: string) => of.get(`sluice_records_${name}`) ?? 0;
    const entered = get('in_total') + get('created_total');
    const left =
      get('out_total') +
      get('filtered_total') +
      get('merged_total') +
      get('dead_lettered_total') +
      get('dropped_total') +
      get('returned_total');
    assert.equal(entered, left + get('in_flight'), `${component} lost count`);
    if (options.drained) assert.equal(get('in_flight'), 0, `${component} still holds records`);
  }
}

/** What went over the edges to an output is what the output took in. */
function assertEdges(metrics: Metrics): void {
  const arrived = new Map<string, number>();
  for (const { name, labels, value } of metrics.all()) {
    const to = /to="([^"]*)"/.exec(labels)?.[1];
    if (name !== 'sluice_edge_records_total' || to === undefined) continue;
    arrived.set(to, (arrived.get(to) ?? 0) + value);
  }
  for (const [output, records] of arrived) {
    const labels = { component: output, kind: 'output' };
    assert.equal(metrics.value('sluice_records_in_total', labels), records, `edge to ${output}`);
  }
}
