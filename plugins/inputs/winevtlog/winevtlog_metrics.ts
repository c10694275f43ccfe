import type { ComponentMetrics, Counter } from '../../../core/sdk/index.ts';

export interface WinevtlogMetrics {
  readonly missed: Counter;
  readonly bookmarksLost: Counter;
  readonly resubscriptions: Counter;
  readonly unrendered: Counter;
  readonly malformed: Counter;
  readonly tooLarge: Counter;
}

export function winevtlogMetrics(metrics: ComponentMetrics): WinevtlogMetrics {
  return {
    missed: metrics.counter('sluice_winevtlog_missed_events_total'),
    bookmarksLost: metrics.counter('sluice_winevtlog_bookmarks_lost_total'),
    resubscriptions: metrics.counter('sluice_winevtlog_resubscriptions_total'),
    unrendered: metrics.counter('sluice_winevtlog_unrendered_events_total'),
    malformed: metrics.counter('sluice_winevtlog_malformed_events_total'),
    tooLarge: metrics.counter('sluice_winevtlog_too_large_events_total'),
  };
}
