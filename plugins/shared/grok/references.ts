import { SluiceError } from '../../../core/sdk/index.ts';
import type { ReferenceResolver } from '../../../core/sdk/index.ts';

const useSyntax = /%\{([A-Za-z0-9_]+)(?::([@[\]A-Za-z0-9_:.^`\\-]+))?/y;
const restSyntax = /[^}]*\}/y;

/** Finds `%{NAME}`, `%{NAME:field}` and `%{NAME:field:type}` in expressions and expands them. With
 *  `=expression` behind the names, as in `%{NAME:field=[a-z]{3}}`, NAME is defined there for that use and
 *  for all that follow in the same pattern: a resolver is for one pattern. Braces in such an expression come
 *  in pairs, or behind a backslash.
 *  Errors: SLUICE_GROK_INVALID for unknown names (with the nearest one), for recursion and for a definition
 *  that does not end. */
export function referenceResolver(
  definitions: ReadonlyMap<string, string>,
  namedCapturesOnly: boolean,
): ReferenceResolver {
  const inPlace = new Map<string, string>();
  return (source, position, path) => {
    useSyntax.lastIndex = position;
    const match = useSyntax.exec(source);
    if (match === null) return undefined;
    const [, name, label] = match as unknown as [string, string, string?];
    let end = position + match[0].length;
    if (source[end] === '=') {
      const from = end + 1;
      end = definitionEnd(source, from);
      if (end < 0) return refuse(`the definition of ${name} in place does not end with a brace`);
      if (end > from) inPlace.set(name, source.slice(from, end));
    }
    restSyntax.lastIndex = end;
    const rest = restSyntax.exec(source);
    if (rest === null) return undefined;
    end += rest[0].length;
    const use = source.slice(position, end);
    const definition = inPlace.get(name) ?? definitions.get(name);
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
      length: end - position,
    };
  };
}

/** Where the brace stands that ends a definition in place, or -1. */
function definitionEnd(source: string, from: number): number {
  let open = 0;
  for (let at = from; at < source.length; at++) {
    const character = source[at];
    if (character === '\\') at++;
    else if (character === '{') open++;
    else if (character === '}' && open-- === 0) return at;
  }
  return -1;
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
