import type { Agent } from './agent.ts';

/** What became of the records when the agent stopped. */
export interface StopReport {
  /** Records that their destinations accepted since the start. */
  readonly delivered: number;
  readonly deadLettered: number;
  /** Records that wait in disk buffers. */
  readonly persisted: number;
  /** Records that stay unread or unacknowledged at their source and come again. */
  readonly returned: number;
  /** Records lost: dropped by a configured policy. */
  readonly dropped: number;
}

export function stopReport(agent: Agent): StopReport {
  const report = { delivered: 0, deadLettered: 0, persisted: 0, returned: 0, dropped: 0 };
  for (const { stage } of [...agent.outputs, ...agent.retired]) {
    const { stored, inMemory } = stage.unsettled();
    report.persisted += stored;
    report.returned += inMemory;
  }
  // The counters of a replaced output are its successor's, too.
  for (const { stage } of agent.outputs) {
    report.delivered += stage.counters.out.value;
    report.deadLettered += stage.counters.deadLettered.value;
  }
  for (const { stage } of [...agent.inputs, ...agent.outputs]) {
    report.dropped += stage.counters.droppedTotal();
  }
  return report;
}

/** Says how many records no output wanted: most often a tag is misspelt. */
export function sayUnmatched(agent: Agent): void {
  const labels = { component: 'router', kind: 'router' };
  const unmatched = agent.metrics.value('sluice_records_unmatched_total', labels);
  if (unmatched === 0) return;
  agent.log.warn(
    { unmatched },
    'Records matched no output and went nowhere: compare the tags of the inputs with match and when of the outputs.',
  );
}
