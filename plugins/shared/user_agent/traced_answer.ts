import type { NameRule } from './data.ts';
import type { Found } from './rule_list.ts';
import { TracedText } from './traced_text.ts';

export interface TracedName {
  readonly name?: TracedText;
  readonly version?: TracedText;
}

/** A rule's name and version, as `nameAndVersion` finds them. Matches have the places of their
 *  groups; the text that they are of begins at `shift` of the agent. */
export function tracedName(
  rules: readonly NameRule[],
  found: Found | undefined,
  versionParts: number,
  shift: number,
): TracedName {
  if (found === undefined) return {};
  const replacements = rules[found.rule]![2];
  const name = tracedPart(replacements[0], 1, found.match, shift);
  let version: TracedText | undefined;
  for (let part = 1; part <= versionParts; part++) {
    const value = tracedPart(replacements[part], part + 1, found.match, shift);
    if (value === undefined) break;
    version =
      version === undefined ? value : TracedText.joined([version, TracedText.of('.'), value]);
  }
  return { name, version };
}

/** A replacement with its groups put in, or the group itself; undefined when nothing is left. */
export function tracedPart(
  replacement: string | null | undefined,
  group: number,
  match: RegExpExecArray,
  shift: number,
): TracedText | undefined {
  const groupText = (number: number): TracedText | undefined => {
    const text = match[number];
    const at = match.indices?.[number]?.[0];
    return text === undefined || at === undefined ? undefined : TracedText.from(text, shift + at);
  };
  if (replacement === null || replacement === undefined) {
    return orNothing(groupText(group)?.trimmed());
  }
  const pieces = replacement
    .split(/\$(\d)/)
    .map((piece, i) => (i % 2 === 0 ? TracedText.of(piece) : groupText(Number(piece))))
    .filter((piece) => piece !== undefined);
  return orNothing(TracedText.joined(pieces).trimmed());
}

/** The JSON of a `UserAgent`. */
export function tracedJson(
  browser: TracedName,
  system: TracedName,
  device: TracedText | undefined,
): TracedText {
  const other = TracedText.of('Other');
  const parts: (string | TracedText)[] = ['{"name":', (browser.name ?? other).quoted()];
  if (browser.version !== undefined) parts.push(',"version":', browser.version.quoted());
  if (system.name !== undefined) {
    const { name, version } = system;
    parts.push(',"os":{"name":', name.quoted());
    if (version !== undefined) parts.push(',"version":', version.quoted());
    const full =
      version === undefined ? name : TracedText.joined([name, TracedText.of(' '), version]);
    parts.push(',"full":', full.quoted(), '}');
  }
  parts.push(',"device":{"name":', (device ?? other).quoted(), '}}');
  return TracedText.joined(
    parts.map((part) => (typeof part === 'string' ? TracedText.of(part) : part)),
  );
}

function orNothing(text: TracedText | undefined): TracedText | undefined {
  return text === undefined || text.text === '' ? undefined : text;
}
