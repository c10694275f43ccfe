import type { XmlElement } from './xml_element.ts';

/** A value of a record: text as Windows renders it, lists, and objects with keys in order. */
export type EventValue = string | readonly EventValue[] | ReadonlyMap<string, EventValue>;

/** An element as a value. Without attributes and child elements it is its text; else an object of
 *  its attributes (`@name`), its child elements (those of one name as a list) and, unless blank,
 *  its text (`#text`). Namespace declarations are left out. */
export function elementValue(element: XmlElement): EventValue {
  return valueWithout(element, undefined);
}

/** The children of `EventData` (or an element like it) as an object: a `Data` element stands under
 *  its `Name`, others under their element's name; several under one name become a list. */
export function dataValue(element: XmlElement): EventValue {
  const members = new Map<string, EventValue[]>();
  for (const { name, value } of element.attributes) {
    if (!isNamespace(name)) add(members, `@${name}`, value);
  }
  let text = '';
  for (const child of element.children) {
    if (typeof child === 'string') {
      text += child;
      continue;
    }
    const key = isData(child) ? child.attribute('Name') : undefined;
    if (key === undefined) add(members, child.name, elementValue(child));
    else add(members, key, valueWithout(child, 'Name'));
  }
  if (text.trim() !== '') add(members, '#text', text);
  return collapsed(members);
}

/** Elements of `EventData` whose `Name` is the name of a field. */
export function isData(element: { readonly name: string }): boolean {
  return element.name === 'Data' || element.name === 'ComplexData';
}

export function isNamespace(attribute: string): boolean {
  return attribute === 'xmlns' || attribute.startsWith('xmlns:');
}

function valueWithout(element: XmlElement, ignored: string | undefined): EventValue {
  const members = new Map<string, EventValue[]>();
  for (const { name, value } of element.attributes) {
    if (name !== ignored && !isNamespace(name)) add(members, `@${name}`, value);
  }
  let text = '';
  for (const child of element.children) {
    if (typeof child === 'string') text += child;
    else add(members, child.name, elementValue(child));
  }
  if (members.size === 0) return text;
  if (text.trim() !== '') add(members, '#text', text);
  return collapsed(members);
}

function add(members: Map<string, EventValue[]>, key: string, value: EventValue): void {
  const known = members.get(key);
  if (known === undefined) members.set(key, [value]);
  else known.push(value);
}

function collapsed(members: ReadonlyMap<string, readonly EventValue[]>): EventValue {
  const value = new Map<string, EventValue>();
  for (const [key, all] of members) value.set(key, all.length === 1 ? all[0]! : all);
  return value;
}
