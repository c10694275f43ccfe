/** Says which tags a component wants. Decided once per tag and kept (bounded). */
export class TagMatcher {
  private readonly test: (tag: string) => boolean;
  private readonly known = new Map<string, boolean>();

  constructor(test: (tag: string) => boolean) {
    this.test = test;
  }

  matches(tag: string): boolean {
    let answer = this.known.get(tag);
    if (answer === undefined) {
      answer = this.test(tag);
      if (this.known.size >= tagsKept) this.known.clear();
      this.known.set(tag, answer);
    }
    return answer;
  }
}

/** Tags built from paths have no bound; their answers are cheap to find again. */
const tagsKept = 4096;

/** Fluent Bit's `match`: `*` stands for any text, dots included; all else is literal. */
export function wildcardMatcher(pattern: string): (tag: string) => boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return (tag) => tag === pattern;
  const first = parts[0]!;
  const last = parts[parts.length - 1]!;
  const middle = parts.slice(1, -1).filter((part) => part !== '');
  return (tag) => {
    if (tag.length < first.length + last.length) return false;
    if (!tag.startsWith(first) || !tag.endsWith(last)) return false;
    let at = first.length;
    const end = tag.length - last.length;
    for (const part of middle) {
      const found = tag.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
