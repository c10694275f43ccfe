import { patternLibrary } from '../../../plugins/shared/grok/patterns/library.ts';
import { parseRegex, type ParsedRegex, type ReferenceSite } from '../../../core/regex/parser.ts';

const shipped = patternLibrary('legacy');

const reference = /%\{(\w+)(?::(\w+))?(?::(int|float))?\}/y;

function resolve(
  source: string,
  position: number,
  definitions: Readonly<Record<string, string>>,
): ReferenceSite | undefined {
  reference.lastIndex = position;
  const match = reference.exec(source);
  const definition = match === null ? undefined : definitions[match[1]!];
  if (match === null || definition === undefined) return undefined;
  return {
    name: match[1]!,
    captureName: match[2],
    semantic: match[2],
    type: match[3],
    definition,
    length: match[0].length,
  };
}

/** Parses a pattern with the definitions that Sluice ships, or with others. */
export function parsePattern(pattern: string, definitions = shipped): ParsedRegex {
  return parseRegex(pattern, {
    rubyMultiline: true,
    resolveReference: (source, position) => resolve(source, position, definitions),
  });
}
