import type { RegexNode } from './ast.ts';

/** The longest text that every match of an expression contains, or '' when none is sure. A text
 *  without it can be turned away before the expression is tried. */
export function requiredText(root: RegexNode): string {
  const finder = new RunFinder();
  finder.visit(root);
  return finder.longest();
}

/** Gathers characters that must stand side by side. */
class RunFinder {
  private run = '';
  private best = '';

  longest(): string {
    this.end();
    return this.best;
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
    if (this.run.length > this.best.length) this.best = this.run;
    this.run = '';
  }
}
