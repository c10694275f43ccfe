import { SluiceError } from '../../../core/sdk/index.ts';
import type { ReferenceResolver } from '../../../core/sdk/index.ts';

const useSyntax = /%\{([A-Za-z0-9_]+)(?::([@[\]A-Za-z0-9_:.^`\\-]+))?([^}]*)\}/y;

/** Finds `%{NAME}`, `%{NAME:field}` and `%{NAME:field:type}` in expressions and expands them.
 *  Errors: SLUICE_GROK_INVALID for unknown names (with the nearest one) and for recursion. */
export function referenceResolver(
  definitions: ReadonlyMap<string, string>,
  namedCapturesOnly: boolean,
): ReferenceResolver {
  return (source, position, path) => {
    useSyntax.lastIndex = position;
    const match = useSyntax.exec(source);
    if (match === null) return undefined;
    const [use, name, label, rest] = match as unknown as [string, string, string?, string?];
    if (rest?.startsWith('=') === true) {
      return refuse(`${use} defines a pattern in place: define ${name} under pattern_definitions`);
    }
    const definition = definitions.get(name);
    if (definition === undefined) return refuse(unknownName(name, use, path, definitions.keys()));
    if (path.includes(name)) {
      return refuse(`pattern ${name} refers to itself (${[...path, name].join(' > ')})`);
    }
    const [semantic, type] = (label ?? '').split(':');
    return {
      name,
      captureName: captureName(name, label, namedCapturesOnly),
      semantic: semantic === '' ? undefined : semantic,
      type: type === '' ? undefined : type,
      definition,
      length: use.length,
    };
  };
}

function captureName(name: string, label: string | undefined, namedOnly: boolean) {
  if (label !== undefined) return `${name}:${label}`;
  return namedOnly ? undefined : name;
}

function refuse(problem: string): never {
  throw new SluiceError('SLUICE_GROK_INVALID', `Invalid grok pattern: ${problem}.`);
}

function unknownName(
  name: string,
  use: string,
  path: readonly string[],
  known: Iterable<string>,
): string {
  const where = path.length === 0 ? '' : ` (used by ${path.join(' > ')})`;
  const near = nearestName(name, known);
  const hint = near === undefined ? '' : `, did you mean ${near}`;
  return `${use} names the unknown pattern ${name}${where}${hint}`;
}

/** The known name with the fewest edits, when at most a third of the name differs. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toUpperCase(), candidate.toUpperCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + change));
    }
    previous = row;
  }
  return previous[b.length]!;
}
