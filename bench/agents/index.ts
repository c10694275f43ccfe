import type { MeasuredAgent } from './agent.ts';
import { benthosAgent } from './benthos_agent.ts';
import { fluentBitAgent, vectorAgent } from './installed_agents.ts';
import { limitAgent } from './limit_agent.ts';
import { logagentAgent } from './logagent_agent.ts';
import { rsyslogAgent } from './rsyslog_agent.ts';
import { sluiceAgent } from './sluice_agent.ts';
import { syslogNgAgent } from './syslog_ng_agent.ts';

export { sluiceAgent };

const makers: Readonly<Record<string, (path?: string) => MeasuredAgent>> = {
  rsyslog: rsyslogAgent,
  'syslog-ng': syslogNgAgent,
  benthos: benthosAgent,
  logagent: logagentAgent,
  limit: limitAgent,
  'fluent-bit': fluentBitAgent,
  vector: vectorAgent,
};

/** The peers by name; `fluent-bit=/path/to/it` says where a program is. Throws on a name that is
 *  none. */
export function peersNamed(names: readonly string[]): MeasuredAgent[] {
  return names.map((text) => {
    const [name, path] = text.split('=') as [string, string?];
    const make = makers[name];
    if (make !== undefined) return make(path);
    throw new Error(`There is no peer ${name}; there are ${Object.keys(makers).join(', ')}`);
  });
}
