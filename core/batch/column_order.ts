import type { Field } from './field.ts';

/** The order of fields that filters add to events: first those that filters named when they were
 *  made, in the order of the filters; then all others by name. It depends on the configuration
 *  alone: neither on other events of a batch, nor on what ran with the kernel and what without. */
export class ColumnOrder {
  private readonly ranks = new Map<string, number>();

  /** `names`: field names as `Field.name` has them, in order; the first of equal ones counts. */
  constructor(names: Iterable<string>) {
    for (const name of names) if (!this.ranks.has(name)) this.ranks.set(name, this.ranks.size);
  }

  isBefore(one: Field, other: Field): boolean {
    const rank = this.rankOf(one);
    const otherRank = this.rankOf(other);
    return rank === otherRank ? one.name < other.name : rank < otherRank;
  }

  private rankOf(field: Field): number {
    return this.ranks.get(field.name) ?? Number.MAX_SAFE_INTEGER;
  }
}
