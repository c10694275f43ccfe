/** Pattern definitions by name: the text is a regular expression with `%{NAME:field:type}` uses. */
export type PatternSet = Readonly<Record<string, string>>;

/** Where captures go: Logstash's old flat names, or the Elastic Common Schema. */
export type FieldNaming = 'legacy' | 'ecs';

/** Completes definitions that are written short:
 *  `~{NAME:field}` is "a hyphen, or the capture", and dots in field names become `[a][b]`. */
export function completeDefinitions(short: PatternSet): PatternSet {
  const out: Record<string, string> = {};
  for (const [name, text] of Object.entries(short)) {
    out[name] = text
      .replace(/~\{([^}]*)\}/g, '(?:-|%{$1})')
      .replace(/(%\{\w+:)([a-zA-Z_@]\w*(?:\.\w+)+)/g, (_, use: string, field: string) => {
        return use + bracketed(field);
      })
      .replace(/(\(\?<)([a-zA-Z_]\w*(?:\.\w+)+)(?=>)/g, (_, open: string, field: string) => {
        return open + bracketed(field);
      });
  }
  return out;
}

function bracketed(field: string): string {
  return field
    .split('.')
    .map((part) => `[${part}]`)
    .join('');
}

/** A use of each pattern, as alternatives in the order given. */
export function anyOf(...names: readonly string[]): string {
  return `(?:${names.map((name) => `%{${name}}`).join('|')})`;
}
