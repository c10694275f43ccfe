import { wellFormed } from './well_formed.ts';
import { XmlElement } from './xml_element.ts';

/** An element as XML text, in one line, as the Event Log API gives it: attributes in quotes,
 *  elements without content closed at once. Characters that XML 1.0 has not become U+FFFD. */
export function writeXml(element: XmlElement): string {
  let text = `<${element.name}`;
  for (const { name, value } of element.attributes) {
    text += ` ${name}="${escaped(value).replaceAll('"', '&quot;')}"`;
  }
  if (element.children.length === 0) return `${text}/>`;
  text += '>';
  for (const child of element.children) {
    text += typeof child === 'string' ? escaped(child) : writeXml(child);
  }
  return `${text}</${element.name}>`;
}

function escaped(text: string): string {
  if (!/[&<>\0-\x1f\ud800-\udfff\ufffe\uffff]/.test(text)) return text;
  return wellFormed(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;')
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd');
}

export interface XmlLimits {
  readonly depthMax: number;
  readonly elementsMax: number;
}

export const xmlLimits: XmlLimits = { depthMax: 64, elementsMax: 20_000 };

/** Why a text is no XML that an event may be. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
  /** Index of the character where reading ended. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(`${message} (at character ${at})`);
    this.at = at;
  }
}

/** Reads the XML text of one event: elements, attributes, text, CDATA, the five named entities and
 *  character references. Comments and processing instructions are passed over; a document type is
 *  refused, so that no entity can grow. Errors: XmlError. */
export function parseXml(text: string, limits: XmlLimits = xmlLimits): XmlElement {
  return new XmlReader(text, limits).document();
}

class XmlReader {
  private readonly text: string;
  private readonly limits: XmlLimits;
  private at = 0;
  private elements = 0;

  constructor(text: string, limits: XmlLimits) {
    this.text = text;
    this.limits = limits;
  }

  document(): XmlElement {
    if (this.text.charCodeAt(0) === 0xfeff) this.at = 1;
    const holder = new XmlElement('');
    this.skipMisc();
    if (this.text[this.at] !== '<') throw this.error('There is no element');
    this.element(holder);
    this.skipMisc();
    if (this.at < this.text.length) throw this.error('There is something behind the element');
    // `element` has added exactly one.
    return holder.children[0] as XmlElement;
  }

  /** Reads elements below one another without recursion: an event's text may be nested deep. */
  private element(holder: XmlElement): void {
    const open: XmlElement[] = [holder];
    do {
      const parent = open.at(-1)!;
      if (parent !== holder) this.characters(parent);
      if (this.text.charCodeAt(this.at + 1) === slash && this.text.charCodeAt(this.at) === less) {
        this.endTag(parent.name);
        open.pop();
        continue;
      }
      const { element, isEmpty } = this.startTag();
      parent.children.push(element);
      if (!isEmpty) open.push(element);
      if (open.length - 1 > this.limits.depthMax) throw this.error('Elements are nested too deep');
    } while (open.length > 1);
  }

  /** Adds the text up to the next tag. */
  private characters(parent: XmlElement): void {
    let text = '';
    for (;;) {
      const next = this.text.indexOf('<', this.at);
      if (next < 0) throw this.error(`The element ${parent.name} has no end`);
      text += this.decoded(this.at, next);
      this.at = next;
      const code = this.text.charCodeAt(next + 1);
      if (code !== exclamation && code !== question) break;
      if (this.text.startsWith('<![CDATA[', next)) {
        const end = this.find(']]>', next + 9);
        text += this.text.slice(next + 9, end);
        this.at = end + 3;
      } else if (!this.skipOne()) break;
    }
    if (text !== '') parent.children.push(text);
  }

  private startTag(): { element: XmlElement; isEmpty: boolean } {
    if (++this.elements > this.limits.elementsMax) throw this.error('There are too many elements');
    this.at++;
    const element = new XmlElement(this.name());
    for (;;) {
      this.skipSpace();
      const code = this.text.charCodeAt(this.at);
      if (code === greater) {
        this.at++;
        return { element, isEmpty: false };
      }
      if (code === slash && this.text.charCodeAt(this.at + 1) === greater) {
        this.at += 2;
        return { element, isEmpty: true };
      }
      if (++this.elements > this.limits.elementsMax) throw this.error('There is too much');
      element.attributes.push(this.attribute());
    }
  }

  private attribute(): { name: string; value: string } {
    const name = this.name();
    this.skipSpace();
    if (this.text[this.at] !== '=') throw this.error(`The attribute ${name} has no value`);
    this.at++;
    this.skipSpace();
    const quote = this.text[this.at];
    if (quote !== '"' && quote !== "'") throw this.error(`The attribute ${name} is not quoted`);
    const end = this.find(quote, this.at + 1);
    const value = this.decoded(this.at + 1, end);
    this.at = end + 1;
    return { name, value };
  }

  private endTag(name: string): void {
    this.at += 2;
    const end = this.at + name.length;
    if (this.text.charCodeAt(end) === greater && this.text.startsWith(name, this.at)) {
      this.at = end + 1;
      return;
    }
    if (this.name() !== name) throw this.error(`The element ${name} has the wrong end`);
    this.skipSpace();
    if (this.text[this.at] !== '>') throw this.error('A tag has no end');
    this.at++;
  }

  private name(): string {
    const { at, text } = this;
    const last = Math.min(text.length, at + nameCharactersMax);
    let end = at;
    while (end < last && isInName(text.charCodeAt(end))) end++;
    if (end === at) throw this.error('There is no name');
    this.at = end;
    return text.slice(at, end);
  }

  private skipMisc(): void {
    do this.skipSpace();
    while (this.skipOne());
  }

  /** Passes over one comment or processing instruction. */
  private skipOne(): boolean {
    if (this.text.startsWith('<!--', this.at)) this.at = this.find('-->', this.at + 4) + 3;
    else if (this.text.startsWith('<?', this.at)) this.at = this.find('?>', this.at + 2) + 2;
    else if (this.text.startsWith('<!', this.at)) throw this.error('Declarations are not read');
    else return false;
    return true;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  private find(what: string, from: number): number {
    const at = this.text.indexOf(what, from);
    if (at < 0) throw this.error(`There is no ${what}`);
    return at;
  }

  private decoded(from: number, to: number): string {
    if (from === to) return '';
    const text = this.text.slice(from, to);
    if (!text.includes('&')) return text;
    return text.replace(
      /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w{1,8}));/g,
      (whole, ten, hex, name) => {
        if (name !== undefined) return entities[name as string] ?? whole;
        const code = ten === undefined ? Number.parseInt(hex, 16) : Number(ten);
        return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
      },
    );
  }

  private error(message: string): XmlError {
    return new XmlError(message, this.at);
  }
}

const exclamation = 0x21;
const slash = 0x2f;
const less = 0x3c;
const greater = 0x3e;
const question = 0x3f;

const nameCharactersMax = 512;
const notInName = /[\s<>/='"&]/;

const isAsciiInName = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  isAsciiInName[code] = notInName.test(String.fromCharCode(code)) ? 0 : 1;
}

function isInName(code: number): boolean {
  return code < 128 ? isAsciiInName[code] === 1 : !notInName.test(String.fromCharCode(code));
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};
