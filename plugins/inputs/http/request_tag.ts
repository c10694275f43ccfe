const tagCharactersMax = 256;

/** Makes a tag of a text that a client sent: what is no letter, digit, dot or underscore becomes
 *  an underscore, as in Fluent Bit's http input. Undefined for an empty text. */
export function tagOfText(text: string): string | undefined {
  if (text === '') return undefined;
  return text.slice(0, tagCharactersMax).replace(/[^A-Za-z0-9_.]/g, '_');
}
