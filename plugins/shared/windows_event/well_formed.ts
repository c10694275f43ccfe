/** A text in which U+FFFD stands for halves of surrogate pairs, so that UTF-8 can say it. */
export function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, '\ufffd');
}
