import type { Clock } from '../time/clock.ts';

/** What is wrong, by component; what `/readyz` answers from. */
export class Health {
  private readonly problems = new Map<string, { reason: string; sinceMs: number }>();
  private readonly clock: Clock;
  private readonly conceal: (text: string) => string;

  /** `conceal` hides the secrets in a reason, which may be a server's own words. */
  constructor(clock: Clock, conceal: (text: string) => string = (text) => text) {
    this.clock = clock;
    this.conceal = conceal;
  }

  set(component: string, problem: string | undefined): void {
    if (problem === undefined) {
      if (this.problems.size > 0) this.problems.delete(component);
      return;
    }
    const reason = this.conceal(problem);
    const known = this.problems.get(component);
    const sinceMs = known?.sinceMs ?? this.clock.monotonicMs();
    this.problems.set(component, { reason, sinceMs });
  }

  remove(component: string): void {
    this.problems.delete(component);
  }

  isHealthy(component: string): boolean {
    return !this.problems.has(component);
  }

  all(): { component: string; reason: string; forSeconds: number }[] {
    const now = this.clock.monotonicMs();
    return [...this.problems].map(([component, { reason, sinceMs }]) => ({
      component,
      reason,
      forSeconds: Math.round((now - sinceMs) / 1000),
    }));
  }
}
