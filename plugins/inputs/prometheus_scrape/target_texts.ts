import type { LaneName } from '../../shared/collect/lanes.ts';
import type { ScrapeOptions } from './config.ts';

/** A target as the pipeline file has it. */
export interface TargetText {
  readonly text: string;
  readonly lane: LaneName;
  /** Of the option that names it. */
  readonly path: readonly string[];
}

/** The targets that the options name; `host` where they name none. */
export function targetTexts(options: ScrapeOptions): TargetText[] {
  const { high_targets: high, host, priority, targets } = options;
  const texts = (key: string, values: readonly string[], lane: LaneName): TargetText[] =>
    values.map((text, at) => ({ text, lane, path: [key, String(at)] }));
  const named = [
    ...texts('high_targets', high, 'high'),
    ...texts('targets', targets ?? [], priority),
  ];
  return named.length > 0 ? named : [{ text: host, lane: priority, path: ['host'] }];
}
