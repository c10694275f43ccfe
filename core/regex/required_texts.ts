import type { RegexNode } from './ast.ts';

/** Texts that every match of an expression contains, one behind the other. */
export function requiredTexts(root: RegexNode): readonly string[] {
  const finder = new RunFinder();
  finder.visit(root);
  return finder.found();
}

/** True when a text has all of these, one behind the other. */
export function hasInOrder(text: string, required: readonly string[]): boolean {
  let from = 0;
  for (const one of required) {
    const at = text.indexOf(one, from);
    if (at < 0) return false;
    from = at + one.length;
  }
  return true;
}

/** Gathers characters that must stand side by side. */
class RunFinder {
  private run = '';
  private readonly runs: string[] = [];

  found(): readonly string[] {
    this.end();
    return this.runs;
  }

  visit(node: RegexNode): void {
    switch (node.kind) {
      case 'set':
        if (node.set.length === 2 && node.set[0] === node.set[1]) {
          this.run += String.fromCodePoint(node.set[0]!);
        } else this.end();
        return;
      case 'sequence':
        for (const item of node.items) this.visit(item);
        return;
      case 'capture':
      case 'atomic':
      case 'reference':
        this.visit(node.body);
        return;
      case 'repeat':
        this.visitRepeat(node.body, node.min);
        return;
      case 'alternation':
      case 'backreference':
        this.end();
        return;
      // Nothing else takes part in the text: the run goes on.
      default:
    }
  }

  private visitRepeat(body: RegexNode, min: number): void {
    this.end();
    if (min > 0) this.visit(body);
    this.end();
  }

  private end(): void {
    if (this.run !== '') this.runs.push(this.run);
    this.run = '';
  }
}
