import type { ComponentMetrics } from '../../../core/sdk/index.ts';

/** The input's own counters. */
export function evtxMetrics(metrics: ComponentMetrics) {
  return {
    damagedChunks: metrics.counter('sluice_evtx_damaged_chunks_total'),
    unreadableFiles: metrics.counter('sluice_evtx_unreadable_files_total'),
    damagedRecords: metrics.counter('sluice_evtx_damaged_records_total'),
    missedRecords: metrics.counter('sluice_evtx_missed_records_total'),
    tooLargeRecords: metrics.counter('sluice_evtx_too_large_records_total'),
    slackRecords: metrics.counter('sluice_evtx_slack_records_total'),
  };
}

export type EvtxMetrics = ReturnType<typeof evtxMetrics>;
