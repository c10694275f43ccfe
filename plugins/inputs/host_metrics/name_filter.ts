import { compileRegex } from '../../../core/sdk/index.ts';

/** Tells by a regular expression which names are left out. */
export class NameFilter {
  private readonly excluded: ReturnType<typeof compileRegex> | undefined;

  /** An empty text excludes nothing. Errors: SLUICE_REGEX_INVALID. */
  constructor(exclude: string) {
    this.excluded = exclude === '' ? undefined : compileRegex(exclude);
  }

  takes(name: string): boolean {
    return this.excluded?.test(name) !== true;
  }
}
