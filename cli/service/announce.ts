import { systemClock } from '../../core/time/clock.ts';
import type { Agent } from '../../core/topology/agent.ts';
import { type NotifyEnvironment, ServiceNotifier } from './service_notifier.ts';

/** Who tells the service manager how an agent is; undefined where nobody listens. */
export function notifierOf(
  agent: Agent,
  environment: NotifyEnvironment | undefined,
): ServiceNotifier | undefined {
  if (environment === undefined) return undefined;
  return new ServiceNotifier({
    environment,
    clock: systemClock,
    log: agent.log,
    wedged: () => agent.wedged()[0]?.reason,
    status: () => statusOf(agent),
  });
}

function statusOf(agent: Agent): string {
  const problem = agent.problems()[0];
  if (problem !== undefined) return `Not ready: ${problem.component}: ${problem.reason}`;
  const delivered = agent.outputs.reduce((sum, { stage }) => sum + stage.counters.out.value, 0);
  return `Ready: ${agent.inputs.length} inputs, ${agent.outputs.length} outputs, ${delivered} records delivered.`;
}
