import type { DeliveryOutcome, RejectedRecord } from '../../../core/sdk/index.ts';

/** Adds up what became of a chunk whose sections are delivered one by one, in order. */
export class SectionOutcomes {
  private readonly retry: number[] = [];
  private readonly rejected: RejectedRecord[] = [];
  private reason = '';
  private halted: Extract<DeliveryOutcome, { kind: 'retry' }> | undefined;
  private count = 0;

  /** True after a section that must be tried again: the destination is not to be pressed further. */
  get isHalted(): boolean {
    return this.halted !== undefined;
  }

  /** Adds the next section, of `count` records; without an outcome it was not sent. */
  add(count: number, outcome: DeliveryOutcome | undefined): void {
    const indices = Array.from({ length: count }, (_, k) => this.count + k);
    this.count += count;
    if (outcome?.kind === 'accepted') return;
    if (outcome !== undefined && this.reason === '') this.reason = outcome.reason;
    if (outcome?.kind === 'rejected') {
      const { reason, status } = outcome;
      for (const index of indices) this.rejected.push({ index, reason, status });
      return;
    }
    // What is too large (`split`) comes again with less beside it, and alone it is halved.
    this.retry.push(...indices);
    if (outcome?.kind === 'retry') this.halted = outcome;
  }

  whole(): DeliveryOutcome {
    const { retry, rejected, reason, halted } = this;
    if (retry.length === 0 && rejected.length === 0) return { kind: 'accepted' };
    if (retry.length === this.count) return halted ?? { kind: 'split', reason };
    const afterMs = halted?.afterMs;
    return {
      kind: 'partial',
      retry,
      rejected,
      reason,
      ...(afterMs === undefined ? {} : { afterMs }),
    };
  }
}
