import type { Agent } from './agent.ts';

/** Why a component keeps the agent from being ready. */
export interface Problem {
  /** KIND ID, such as `output es`. */
  readonly component: string;
  readonly reason: string;
  readonly forSeconds: number;
}

/** Inputs whose batch does not get on though every output has room: what only a restart mends. A
 *  destination that is down is no such case. */
export function wedgedInputs(agent: Agent, afterMs = wedgedAfterMs): Problem[] {
  // A batch may still be with the outputs that a reload replaced.
  const outputs = [...agent.outputs, ...agent.retired];
  if (outputs.some(({ stage }) => !stage.hasRoom())) return [];
  return agent.inputs.flatMap(({ config, stage }) => {
    const ms = stage.underWayMs();
    if (ms <= afterMs) return [];
    return {
      component: `input ${config.id}`,
      reason: `wedged: a batch is with the filters for ${inSeconds(ms)} s`,
      forSeconds: inSeconds(ms - afterMs),
    };
  });
}

/** Why the agent is not ready; empty when it is. */
export function readinessProblems(agent: Agent): Problem[] {
  const problems: Problem[] = [...agent.health.all(), ...wedgedInputs(agent, silentMsMax)];
  const limitMs = agent.config.service.oldestUnacknowledgedMs;
  for (const { config, stage } of [...agent.outputs, ...agent.retired]) {
    const component = `output ${config.id}`;
    const silentMs = stage.silentMs();
    if (silentMs > silentMsMax && !problems.some((known) => known.component === component)) {
      const reason = `its destination has not answered for ${inSeconds(silentMs)} s`;
      problems.push({ component, reason, forSeconds: inSeconds(silentMs - silentMsMax) });
    }
    const ageMs = stage.oldestUnacknowledgedMs();
    if (ageMs <= limitMs) continue;
    const reason = `its oldest unacknowledged record is ${inSeconds(ageMs)} s old`;
    problems.push({ component, reason, forSeconds: inSeconds(ageMs - limitMs) });
  }
  return problems;
}

/** A batch that is through neither filters nor router after this long, while every output has
 *  room, will not get through: filters with deadlines of their own end far earlier. */
const wedgedAfterMs = 60_000;

/** Readiness says so when a destination or a filter is silent for so long; both have deadlines of
 *  their own, which may be far later. */
const silentMsMax = 20_000;

function inSeconds(ms: number): number {
  return Math.round(ms / 1000);
}
