import type {
  BinaryAttribute,
  BinaryElement,
  BinaryNode,
  BinaryPart,
  BinaryValue,
  TemplateInstance,
} from './binary_nodes.ts';
import { Damage } from './damage.ts';

/** Tokens of binary XML ([MS-EVEN6] 2.2.12.2); 0x40 is a flag: attributes or more data follow. */
const tokens = {
  endOfFile: 0x00,
  openElement: 0x01,
  closeStart: 0x02,
  closeEmpty: 0x03,
  endElement: 0x04,
  text: 0x05,
  attribute: 0x06,
  cdata: 0x07,
  characterReference: 0x08,
  entityReference: 0x09,
  instructionTarget: 0x0a,
  instructionData: 0x0b,
  templateInstance: 0x0c,
  hole: 0x0d,
  optionalHole: 0x0e,
  fragment: 0x0f,
} as const;

const moreFlag = 0x40;
const depthMax = 64;
const nodesMax = 20_000;
/** Bytes of a template definition in front of its nodes: next offset, GUID, size. */
export const definitionHeaderBytes = 24;

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** A place in a definition that refers to a name. */
export interface NameReference {
  readonly at: number;
  /** The name itself follows. */
  readonly isHere: boolean;
  readonly name: string;
}

/** Reads binary XML out of one chunk into nodes. Everything is checked against `limit`, the end of
 *  the chunk; nesting and the number of nodes have limits. Errors: Damage. */
export class BinaryReader {
  private bytes: Buffer;
  private limit: number;
  private at = 0;
  private depth = 0;
  private nodes = 0;
  private hasDependencies = true;
  private names: NameReference[] = [];
  private hasInstances = false;

  constructor(bytes: Buffer, limit: number) {
    this.bytes = bytes;
    this.limit = limit;
  }

  /** Reads what stands in [start, end) up to its end-of-file token. `hasDependencies`: elements
   *  carry a dependency id, as everywhere but directly inside a value. */
  fragment(start: number, end: number, hasDependencies: boolean): BinaryNode[] {
    if (end > this.limit || start > end) throw new Damage('binary XML outside its chunk', start);
    const { limit } = this;
    this.at = start;
    this.limit = end;
    this.depth = 0;
    this.nodes = 0;
    this.names = [];
    this.hasInstances = false;
    this.hasDependencies = hasDependencies;
    try {
      const nodes: BinaryNode[] = [];
      this.content(nodes, false);
      return nodes;
    } finally {
      this.limit = limit;
    }
  }

  /** Reads the definition at `offset`, which some instance refers to. */
  definition(offset: number): BinaryNode[] {
    const start = offset + definitionHeaderBytes;
    if (offset < 0 || start > this.limit) {
      throw new Damage('a template outside its chunk', offset);
    }
    return this.fragment(start, start + this.bytes.readUInt32LE(offset + 20), true);
  }

  /** Names that what was read last refers to; undefined where it refers to other templates too. */
  get references(): readonly NameReference[] | undefined {
    return this.hasInstances ? undefined : this.names;
  }

  /** Reads the template instance whose token is at `start`. */
  instanceAt(start: number, end: number): TemplateInstance {
    const { limit } = this;
    this.at = start + 1;
    this.limit = Math.min(end, limit);
    try {
      return this.instance();
    } finally {
      this.limit = limit;
    }
  }

  /** Reads nodes until the element's end (`isInside`) or the end of file. */
  private content(into: BinaryNode[], isInside: boolean): void {
    for (;;) {
      // Fragments in values need not end with a token.
      if (!isInside && this.at === this.limit) return;
      const start = this.at;
      const token = this.byte();
      switch (token & ~moreFlag) {
        case tokens.endOfFile:
          if (isInside) throw new Damage('an element without its end', start);
          return;
        case tokens.endElement:
          if (!isInside) throw new Damage('an end without an element', start);
          return;
        case tokens.openElement:
          add(into, this.element(token));
          break;
        case tokens.fragment:
          this.skip(3);
          break;
        case tokens.instructionTarget:
          this.name();
          break;
        case tokens.instructionData:
          this.skip(2 * this.uint16());
          break;
        default:
          add(into, this.part(token, start));
      }
      if (++this.nodes > nodesMax) throw new Damage('too many nodes', start);
    }
  }

  private element(token: number): BinaryElement {
    const start = this.at - 1;
    if (++this.depth > depthMax) throw new Damage('elements nested too deep', start);
    const dependency = this.hasDependencies ? this.uint16() : 0xffff;
    this.skip(4);
    const name = this.name();
    const attributes = (token & moreFlag) === 0 ? [] : this.attributes();
    const children: BinaryNode[] = [];
    const closing = this.byte();
    if (closing === tokens.closeStart) this.content(children, true);
    else if (closing !== tokens.closeEmpty) {
      throw new Damage(`token ${closing} where a tag must end`, this.at - 1);
    }
    this.depth--;
    return {
      kind: 'element',
      name,
      dependency: dependency === 0xffff ? -1 : dependency,
      attributes,
      children,
    };
  }

  private attributes(): BinaryAttribute[] {
    this.skip(4);
    const attributes: BinaryAttribute[] = [];
    while ((this.peek() & ~moreFlag) === tokens.attribute) {
      if (++this.nodes > nodesMax) throw new Damage('too many attributes', this.at);
      this.at++;
      const name = this.name();
      const parts: BinaryPart[] = [];
      for (;;) {
        const kind = this.peek() & ~moreFlag;
        if (kind === tokens.attribute || kind < tokens.text) break;
        const start = this.at;
        const part = this.part(this.byte(), start);
        if (typeof part === 'object' && part.kind === 'instance') {
          throw new Damage('a template in an attribute', start);
        }
        add(parts, part);
        if (++this.nodes > nodesMax) throw new Damage('too many nodes', start);
      }
      attributes.push({ name, parts });
    }
    return attributes;
  }

  private part(token: number, start: number): BinaryPart {
    switch (token & ~moreFlag) {
      case tokens.text:
        if (this.byte() !== 1) throw new Damage('text of a type other than string', start);
        return this.characters(this.uint16());
      case tokens.cdata:
        return this.characters(this.uint16());
      case tokens.characterReference:
        return String.fromCharCode(this.uint16());
      case tokens.entityReference: {
        const name = this.name();
        return entities[name] ?? `&${name};`;
      }
      case tokens.hole:
      case tokens.optionalHole: {
        const index = this.uint16();
        this.skip(1);
        return { kind: 'hole', index, isOptional: (token & ~moreFlag) === tokens.optionalHole };
      }
      case tokens.templateInstance:
        return this.instance();
      default:
        throw new Damage(`unknown token ${token}`, start);
    }
  }

  private instance(): TemplateInstance {
    this.hasInstances = true;
    this.skip(5);
    const definition = this.uint32();
    if (definition === this.at) {
      this.skip(definitionHeaderBytes);
      this.skip(this.bytes.readUInt32LE(this.at - 4));
    }
    const count = this.uint32();
    const descriptors = this.at;
    this.skip(4 * count);
    const values: BinaryValue[] = [];
    for (let i = 0; i < count; i++) {
      const size = this.bytes.readUInt16LE(descriptors + 4 * i);
      values.push({ type: this.bytes[descriptors + 4 * i + 2]!, start: this.at, size });
      this.skip(size);
    }
    return { kind: 'instance', definition, values, end: this.at };
  }

  /** Reads a name: its offset and, where the offset says "here", the name itself. */
  private name(): string {
    const offset = this.uint32();
    const isHere = offset === this.at;
    if (offset + 8 > this.bytes.length) throw new Damage('a name outside its chunk', this.at - 4);
    const length = this.bytes.readUInt16LE(offset + 6);
    const start = offset + 8;
    const end = start + 2 * length;
    if (end + 2 > this.bytes.length || length === 0 || length > 1024) {
      throw new Damage('a name that is none', this.at - 4);
    }
    const name = this.bytes.toString('utf16le', start, end);
    if (isSyntax(name)) throw new Damage('a name with characters that no name has', offset);
    this.names.push({ at: this.at - 4, isHere, name });
    if (isHere) this.skip(end + 2 - offset);
    return name;
  }

  private characters(count: number): string {
    const start = this.at;
    this.skip(2 * count);
    return this.bytes.toString('utf16le', start, this.at);
  }

  private peek(): number {
    if (this.at >= this.limit) throw new Damage('binary XML that ends early', this.at);
    return this.bytes[this.at]!;
  }

  private byte(): number {
    const value = this.peek();
    this.at++;
    return value;
  }

  private uint16(): number {
    this.skip(2);
    return this.bytes.readUInt16LE(this.at - 2);
  }

  private uint32(): number {
    this.skip(4);
    return this.bytes.readUInt32LE(this.at - 4);
  }

  private skip(bytes: number): void {
    if (bytes > this.limit - this.at) throw new Damage('binary XML that ends early', this.at);
    this.at += bytes;
  }
}

/** Names go into XML text: what would end one there is damage. */
function isSyntax(name: string): boolean {
  return /[\0-\x20<>/='"&\ud800-\udfff\ufffe\uffff]/.test(name);
}

/** Adds a node; texts beside one another become one. */
function add<Node extends BinaryNode>(into: Node[], node: Node): void {
  const last = into.at(-1);
  if (typeof node === 'string' && typeof last === 'string') {
    // Both are texts, so that the array takes one.
    into[into.length - 1] = (last + node) as Node;
  } else if (node !== '') into.push(node);
}
