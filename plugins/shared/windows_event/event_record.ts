import { dataValue, elementValue, type EventValue } from './element_value.ts';
import { keywordNames, levelName, opcodeName, taskName } from './standard_names.ts';
import { isPlainNumber, isSystemElement, systemFields } from './system_fields.ts';
import { type EventTime, parseSystemTime } from './value_text.ts';
import { wellFormed } from './well_formed.ts';
import type { XmlElement } from './xml_element.ts';

/** Where a record's `Message` comes from: `publisher`: rendered with the publisher's metadata;
 *  `rendering_info`: the event was forwarded with its rendered text; `none`: there is no message,
 *  because nothing that is at hand can render it. */
export type MessageSource = 'publisher' | 'rendering_info' | 'none';

/** What a publisher's metadata adds to an event; each may be missing. */
export interface RenderedNames {
  readonly message?: string;
  readonly level?: string;
  readonly task?: string;
  readonly opcode?: string;
  readonly keywords?: readonly string[];
}

export interface EventRecordOptions {
  /** Adds `StringInserts`: the values of `EventData` in order. */
  readonly stringInserts: boolean;
  /** Adds `Xml`. */
  readonly xml?: string;
  /** What the publisher's metadata says. */
  readonly rendered?: RenderedNames;
}

export interface EventRecord {
  /** The record's members in order. */
  readonly members: ReadonlyMap<string, EventValue | number>;
  /** Undefined where the event has no readable time. */
  readonly time: EventTime | undefined;
}

/** Makes the record of an event.
 *
 *  In: the root element of its XML. Out: the fields of `System` (see `systemFields`) with the names
 *  of level, task, opcode and keywords, the message and where it is from, `EventData` and
 *  `UserData` as objects, and every other child of the event under its own name. An XML that is
 *  no event becomes one member. */
export function eventRecord(root: XmlElement, options: EventRecordOptions): EventRecord {
  const members = new Map<string, EventValue | number>();
  if (root.name !== 'Event') {
    members.set(root.name, elementValue(root));
    return { members, time: undefined };
  }
  const rendering = root.child('RenderingInfo');
  const names = { ...renderingNames(rendering), ...options.rendered };
  const time = addSystem(root.child('System'), names, members);
  if (names.message !== undefined) members.set('Message', names.message);
  members.set('message_source', messageSource(options.rendered, names));
  const rest = new Map<string, EventValue[]>();
  for (const child of root.children) addBody(child, rest);
  for (const [key, values] of rest) {
    // A body may have any name: a field of the system stands before it.
    const free = members.has(key) ? `Event.${key}` : key;
    members.set(free, values.length === 1 ? values[0]! : values);
  }
  if (options.stringInserts) members.set('StringInserts', stringInserts(root));
  if (options.xml !== undefined) members.set('Xml', options.xml);
  return { members, time };
}

/** A record's members as the text of a JSON object. Keys keep their order, whatever they are. */
export function recordJson(members: ReadonlyMap<string, EventValue | number>): string {
  return json(members);
}

function json(value: EventValue | number | ReadonlyMap<string, EventValue | number>): string {
  if (typeof value === 'string') {
    return plainText.test(value) ? `"${value}"` : JSON.stringify(wellFormed(value));
  }
  if (typeof value === 'number') return String(value);
  // The compiler does not narrow a readonly array away from a map.
  if (Array.isArray(value)) return `[${(value as readonly EventValue[]).map(json).join(',')}]`;
  const entries = value as ReadonlyMap<string, EventValue | number>;
  let text = '';
  for (const [key, one] of entries) {
    text += `${text === '' ? '{' : ','}${keyText(key)}${json(one)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** Needs no escape in JSON. */
const plainText = /^[ !#-[\]-~]*$/;

/** Keys are the same few from event to event. */
const keyTexts = new Map<string, string>();
const keyTextsMax = 4096;
const keyCharactersMax = 128;

function keyText(key: string): string {
  const known = keyTexts.get(key);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(wellFormed(key))}:`;
  if (keyTexts.size < keyTextsMax && key.length <= keyCharactersMax) keyTexts.set(key, text);
  return text;
}

/** Adds the fields of `System`; returns the event's time. */
function addSystem(
  system: XmlElement | undefined,
  names: RenderedNames,
  members: Map<string, EventValue | number>,
): EventTime | undefined {
  let time: EventTime | undefined;
  const provider = system?.child('Provider')?.attribute('Name') ?? '';
  let source: XmlElement | undefined;
  let sourceName = '';
  for (const { key, element, attribute, kind } of systemFields) {
    // Fields of one element stand beside each other.
    if (element !== sourceName) source = system?.child(element);
    sourceName = element;
    const text = attribute === undefined ? source?.text() : source?.attribute(attribute);
    if (text !== undefined && text !== '') {
      members.set(key, kind === 'number' && isPlainNumber(text) ? Number(text) : text);
      if (kind === 'time') time = parseSystemTime(text);
    }
    addName(key, text ?? '', provider, names, members);
  }
  for (const child of system?.children ?? []) {
    if (typeof child === 'string' || isSystemElement(child.name)) continue;
    members.set(`System.${child.name}`, elementValue(child));
  }
  return time;
}

/** Adds the name of a value behind it: what the publisher calls it, else what Windows does. */
function addName(
  key: string,
  text: string,
  provider: string,
  names: RenderedNames,
  members: Map<string, EventValue | number>,
): void {
  if (key !== 'Level' && key !== 'Task' && key !== 'Opcode' && key !== 'Keywords') return;
  const value = isPlainNumber(text) ? Number(text) : -1;
  if (key === 'Level') setText(members, 'LevelName', names.level ?? levelName(value));
  else if (key === 'Task') setText(members, 'TaskName', names.task ?? taskName(provider, value));
  else if (key === 'Opcode') setText(members, 'OpcodeName', names.opcode ?? opcodeName(value));
  else {
    const all = names.keywords ?? ownKeywords(text);
    if (all.length > 0) members.set('KeywordNames', all);
  }
}

/** Names of a mask that Windows itself defines: those of its upper half. */
function ownKeywords(text: string): readonly string[] {
  if (!/^0x[0-9a-fA-F]{9,16}$/.test(text)) return [];
  return keywordNames(Number.parseInt(text.slice(2, -8), 16));
}

function setText(
  members: Map<string, EventValue | number>,
  key: string,
  text: string | undefined,
): void {
  if (text !== undefined && text !== '') members.set(key, text);
}

function addBody(child: XmlElement | string, rest: Map<string, EventValue[]>): void {
  if (typeof child === 'string' || child.name === 'System' || child.name === 'RenderingInfo') {
    return;
  }
  const value = child.name === 'EventData' ? dataValue(child) : elementValue(child);
  const known = rest.get(child.name);
  if (known === undefined) rest.set(child.name, [value]);
  else known.push(value);
}

function messageSource(rendered: RenderedNames | undefined, names: RenderedNames): MessageSource {
  if (rendered?.message !== undefined) return 'publisher';
  return names.message === undefined ? 'none' : 'rendering_info';
}

/** What a forwarded event says of itself. */
function renderingNames(info: XmlElement | undefined): RenderedNames {
  if (info === undefined) return {};
  const keywords: string[] = [];
  for (const child of info.child('Keywords')?.children ?? []) {
    if (typeof child !== 'string' && child.text() !== '') keywords.push(child.text());
  }
  return {
    ...named('message', info.child('Message')),
    ...named('level', info.child('Level')),
    ...named('task', info.child('Task')),
    ...named('opcode', info.child('Opcode')),
    ...(keywords.length > 0 ? { keywords } : {}),
  };
}

function named(key: string, element: XmlElement | undefined): Record<string, string> {
  const text = element?.text() ?? '';
  return text === '' ? {} : { [key]: text };
}

function stringInserts(root: XmlElement): readonly EventValue[] {
  const values: EventValue[] = [];
  for (const child of root.child('EventData')?.children ?? []) {
    if (typeof child !== 'string' && child.name === 'Data') values.push(child.text());
  }
  return values;
}
