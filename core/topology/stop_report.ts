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
  /** Records lost: dropped by a configured policy, or left in memory of a source that cannot give
   *  them again. */
  readonly dropped: number;
}

/** Once nothing is delivered any more. */
export function stopReport(agent: Agent): StopReport {
  const report = { delivered: 0, deadLettered: 0, persisted: 0, returned: 0, dropped: 0 };
  const ids = new Set(agent.outputs.map(({ config }) => config.id));
  for (const { config, stage } of [...agent.outputs, ...agent.retired]) {
    const { stored, inMemory, unrepeatable } = stage.unsettled();
    const lost = stage.giveUpUnrepeatable('stopped');
    report.persisted += stored;
    report.returned += inMemory - unrepeatable;
    // The counters of one that the configuration no longer has are nobody's.
    if (!ids.has(config.id)) report.dropped += lost;
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

/** The agent's last word, a warning when records were lost. */
export function sayStopped(agent: Agent, report: StopReport): void {
  const { delivered, persisted, returned, dropped: lost } = report;
  const rest = returned > 0 ? `; ${returned} stay with their source` : '';
  agent.log[lost > 0 ? 'warn' : 'info'](
    { ...report, lost },
    `The agent stopped: ${delivered} records delivered, ${persisted} persisted, ${lost} lost${rest}.`,
  );
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
