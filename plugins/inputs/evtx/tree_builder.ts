import { XmlElement } from '../../shared/windows_event/xml_element.ts';
import {
  type BinaryElement,
  type BinaryNode,
  type BinaryPart,
  type BinaryValue,
  valueTypes,
} from './binary_nodes.ts';
import type { BinaryReader } from './binary_reader.ts';
import { Damage, TooLarge } from './damage.ts';
import { arrayTexts, valueText } from './value_texts.ts';

/** Templates in templates, and binary XML in values, go no deeper. */
export const nestingMax = 16;
const elementsMax = 50_000;

/** Puts values into holes: makes the whole XML of a record. It serves every record that the
 *  compiled programs do not, and is what they are compared with.
 *
 *  Rules ([MS-EVEN6] 3.1.4.7): an optional hole without a value takes the attribute or the element
 *  around it along, but never the event's root; an element whose dependency has no value is left
 *  out; an element around an array is repeated for each item. */
export class TreeBuilder {
  private readonly bytes: Buffer;
  private readonly reader: BinaryReader;
  private readonly definitionAt: (offset: number) => readonly BinaryNode[];
  private readonly charactersMax: number;
  private elements = 0;
  private characters = 0;

  constructor(
    bytes: Buffer,
    reader: BinaryReader,
    definitionAt: (offset: number) => readonly BinaryNode[],
    charactersMax: number,
  ) {
    this.bytes = bytes;
    this.reader = reader;
    this.definitionAt = definitionAt;
    this.charactersMax = charactersMax;
  }

  /** The root element of the binary XML in [start, end). Errors: Damage, TooLarge. */
  build(start: number, end: number): XmlElement {
    this.elements = 0;
    this.characters = 0;
    const holder = new XmlElement('');
    this.addNodes(holder, this.reader.fragment(start, end, true), noValues, 0);
    for (const child of holder.children) if (typeof child !== 'string') return child;
    throw new Damage('a record without an element', start);
  }

  private addNodes(
    into: XmlElement,
    nodes: readonly BinaryNode[],
    values: readonly BinaryValue[],
    nesting: number,
  ): void {
    for (const node of nodes) {
      if (typeof node === 'object' && node.kind === 'element') {
        this.addElement(into, node, values, nesting);
      } else this.addPart(into, node, values, nesting);
    }
  }

  private addElement(
    into: XmlElement,
    node: BinaryElement,
    values: readonly BinaryValue[],
    nesting: number,
  ): void {
    const { dependency, children } = node;
    const isRoot = into.name === '';
    if (!isRoot && dependency >= 0 && isMissing(values[dependency])) return;
    let repeated: readonly string[] | undefined;
    let repeatedNode: BinaryNode | undefined;
    for (const child of children) {
      if (typeof child !== 'object' || child.kind !== 'hole') continue;
      const value = values[child.index];
      if (child.isOptional && isMissing(value) && !isRoot) return;
      if (repeated === undefined && value !== undefined && isArray(value)) {
        repeated = arrayTexts(this.bytes, value);
        repeatedNode = child;
      }
    }
    for (const text of repeated ?? once) {
      const element = this.element(node, values);
      for (const child of children) {
        if (child === repeatedNode) this.addText(element, text);
        else this.addNodes(element, [child], values, nesting);
      }
      into.children.push(element);
    }
  }

  private element(node: BinaryElement, values: readonly BinaryValue[]): XmlElement {
    if (++this.elements > elementsMax) throw new TooLarge('too many elements');
    const element = new XmlElement(node.name);
    this.count(node.name.length);
    for (const { name, parts } of node.attributes) {
      let text = '';
      let isLeftOut = false;
      for (const part of parts) {
        if (typeof part === 'string') text += part;
        else if (part.kind === 'hole') {
          const value = values[part.index];
          if (part.isOptional && isMissing(value)) isLeftOut = true;
          else text += this.attributeText(value);
        }
      }
      if (isLeftOut) continue;
      this.count(name.length + text.length);
      element.attributes.push({ name, value: text });
    }
    return element;
  }

  private attributeText(value: BinaryValue | undefined): string {
    if (value === undefined) return '';
    if (isArray(value)) return arrayTexts(this.bytes, value).join(' ');
    if (value.type === valueTypes.binaryXml) {
      throw new Damage('elements in an attribute', value.start);
    }
    return valueText(this.bytes, value);
  }

  private addPart(
    into: XmlElement,
    part: BinaryPart,
    values: readonly BinaryValue[],
    nesting: number,
  ): void {
    if (typeof part === 'string') this.addText(into, part);
    else if (part.kind === 'instance') {
      if (nesting >= nestingMax) throw new Damage('templates nested too deep', part.definition);
      this.addNodes(into, this.definitionAt(part.definition), part.values, nesting + 1);
    } else {
      const value = values[part.index];
      if (value === undefined) return;
      if (value.type === valueTypes.binaryXml) this.addBinaryXml(into, value, nesting);
      else this.addText(into, this.attributeText(value));
    }
  }

  private addBinaryXml(into: XmlElement, { start, size }: BinaryValue, nesting: number): void {
    if (size === 0) return;
    if (nesting >= nestingMax) throw new Damage('values nested too deep', start);
    this.addNodes(into, this.embedded(start, start + size), noValues, nesting + 1);
  }

  /** Elements directly inside a value have no dependency id, but some writers give them one. */
  private embedded(start: number, end: number): BinaryNode[] {
    try {
      return this.reader.fragment(start, end, false);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      try {
        return this.reader.fragment(start, end, true);
      } catch {
        throw error;
      }
    }
  }

  private addText(into: XmlElement, text: string): void {
    if (text === '') return;
    this.count(text.length);
    into.children.push(text);
  }

  private count(characters: number): void {
    this.characters += characters;
    if (this.characters > this.charactersMax) throw new TooLarge('too much text');
  }
}

const noValues: readonly BinaryValue[] = [];
const once: readonly string[] = [''];

function isMissing(value: BinaryValue | undefined): boolean {
  return value === undefined || value.type === valueTypes.null;
}

function isArray(value: BinaryValue): boolean {
  return (value.type & valueTypes.array) !== 0;
}
