import type { MeasuredAgent } from './agent.ts';
import { benthosAgent } from './benthos_agent.ts';
import { rsyslogAgent } from './rsyslog_agent.ts';
import { sluiceAgent } from './sluice_agent.ts';
import { syslogNgAgent } from './syslog_ng_agent.ts';

export { sluiceAgent };

const makers: Readonly<Record<string, () => MeasuredAgent>> = {
  rsyslog: rsyslogAgent,
  'syslog-ng': syslogNgAgent,
  benthos: benthosAgent,
};

/** The peers by name. Throws on a name that is none. */
export function peersNamed(names: readonly string[]): MeasuredAgent[] {
  return names.map((name) => {
    const make = makers[name];
    if (make !== undefined) return make();
    throw new Error(`There is no peer ${name}; there are ${Object.keys(makers).join(', ')}`);
  });
}
