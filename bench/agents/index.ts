import type { MeasuredAgent } from './agent.ts';
import { sluiceAgent } from './sluice_agent.ts';

/** The peers by name. Throws on a name that is none. */
export function peersNamed(names: readonly string[]): MeasuredAgent[] {
  return names.map((name) => {
    throw new Error(`There is no peer ${name}`);
  });
}

export { sluiceAgent };
