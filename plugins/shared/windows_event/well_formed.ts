/** A text in which U+FFFD stands for halves of surrogate pairs, so that UTF-8 can say it. */
export function wellFormed(text: string): string {
  // Most texts have none: the engine's own look is faster than a replacement of nothing.
  return halves.test(text) ? text.replace(eachHalf, '\ufffd') : text;
}

const halves = /[\ud800-\udfff]/;
const eachHalf = /[\ud800-\udfff]/gu;
