import type { BinaryNode } from './binary_nodes.ts';
import { definitionHeaderBytes, type NameReference } from './binary_reader.ts';
import type { EventPlan } from './event_plan.ts';
import { compilePlan } from './plan_compiler.ts';

/** A template, and what it is compiled to. */
export class Template {
  readonly nodes: readonly BinaryNode[];
  private compiled: EventPlan | undefined;
  private isCompiled = false;

  constructor(nodes: readonly BinaryNode[]) {
    this.nodes = nodes;
  }

  /** Undefined where only the tree can do it. */
  get plan(): EventPlan | undefined {
    if (!this.isCompiled) {
      this.compiled = compilePlan(this.nodes);
      this.isCompiled = true;
    }
    return this.compiled;
  }
}

interface Entry {
  readonly template: Template;
  /** The definition as it stood in the chunk that it was read from. */
  readonly bytes: Buffer;
  readonly names: readonly NameBytes[];
}

interface NameBytes {
  readonly at: number;
  readonly isHere: boolean;
  /** In UTF-16. */
  readonly text: Buffer;
}

/** Templates of earlier chunks. Every chunk has definitions of its own, but most of them are the
 *  same ones; reading them costs more than some of their records.
 *
 *  A definition is the same when its bytes are, but for the places of names, and the names at those
 *  places are. Its GUID is not asked: nothing makes it tell the truth. */
export class TemplateCache {
  private readonly entries = new Map<number, Entry[]>();
  private bytesHeld = 0;

  /** The template that the definition at `offset` is; undefined when it was not met before. */
  find(bytes: Buffer, offset: number): Template | undefined {
    if (offset < 0 || offset + definitionHeaderBytes > bytes.length) return undefined;
    const alike = this.entries.get(keyOf(bytes, offset));
    if (alike === undefined) return undefined;
    for (let i = 0; i < alike.length; i++) {
      if (isSame(alike[i]!, bytes, offset)) return alike[i]!.template;
    }
    return undefined;
  }

  /** Keeps what was read at `offset`. `names`: undefined where the template refers to more of its
   *  chunk than names. */
  add(
    bytes: Buffer,
    offset: number,
    template: Template,
    names: readonly NameReference[] | undefined,
  ): void {
    const end = offset + definitionHeaderBytes + bytes.readUInt32LE(offset + 20);
    const size = end - offset;
    if (names === undefined || end > bytes.length || size > definitionBytesMax) return;
    if (this.bytesHeld + size > bytesHeldMax) {
      this.entries.clear();
      this.bytesHeld = 0;
    }
    const key = keyOf(bytes, offset);
    const alike = this.entries.get(key) ?? [];
    if (alike.length >= alikeMax) return;
    this.entries.set(key, alike);
    alike.push({
      template,
      bytes: Buffer.from(bytes.subarray(offset, end)),
      names: names.map(({ at, isHere, name }) => ({
        at: at - offset,
        isHere,
        text: Buffer.from(name, 'utf16le'),
      })),
    });
    this.bytesHeld += size;
  }
}

/** Some two hundred; their nodes and plans take some twenty times as much. */
const bytesHeldMax = 256 * 1024;
const definitionBytesMax = 32 * 1024;
/** Definitions with one identifier and size, in which others stand before. */
const alikeMax = 8;
/** Bytes in front of a name: the next one's place, a hash, a length. */
const nameHeaderBytes = 8;

/** Of identifier and size. */
function keyOf(bytes: Buffer, offset: number): number {
  const size = bytes.readUInt32LE(offset + 20) & 0xffff;
  return bytes.readUInt32LE(offset + 4) + size * 2 ** 32;
}

function isSame(entry: Entry, bytes: Buffer, offset: number): boolean {
  // hot path
  const { bytes: known, names } = entry;
  if (offset + known.length > bytes.length) return false;
  // In front stands the place of the next definition.
  let from = 4;
  for (let i = 0; i < names.length; i++) {
    const { at, isHere, text } = names[i]!;
    if (!isEqual(known, from, at, bytes, offset)) return false;
    const place = bytes.readUInt32LE(offset + at);
    if ((place === offset + at + 4) !== isHere) return false;
    if (!isHere && !isNameAt(bytes, place, text)) return false;
    // A name that stands here begins with the place of the next one.
    from = at + (isHere ? 8 : 4);
  }
  return isEqual(known, from, known.length, bytes, offset);
}

function isEqual(known: Buffer, from: number, to: number, bytes: Buffer, offset: number): boolean {
  for (let i = from; i < to; i++) if (known[i] !== bytes[offset + i]) return false;
  return true;
}

function isNameAt(bytes: Buffer, place: number, text: Buffer): boolean {
  const start = place + nameHeaderBytes;
  // As when it is read: a terminator follows.
  if (start + text.length + 2 > bytes.length) return false;
  if (bytes.readUInt16LE(place + 6) * 2 !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}
