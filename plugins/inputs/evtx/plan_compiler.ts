import { isData, isNamespace } from '../../shared/windows_event/element_value.ts';
import {
  isPlainNumber,
  isSystemElement,
  systemFields,
} from '../../shared/windows_event/system_fields.ts';
import { wellFormed } from '../../shared/windows_event/well_formed.ts';
import type { BinaryElement, BinaryNode, BinaryPart } from './binary_nodes.ts';
import type {
  EventPlan,
  FieldPlan,
  InsertsPlan,
  MemberPlan,
  TextPart,
  ValuePlan,
} from './event_plan.ts';
import { slotsMax } from './plan_writer.ts';

/** Compiles a template to a plan; undefined where its shape is one that only the tree can do
 *  (names of fields that are values, forwarded events' rendered text, elements in text).
 *
 *  The plan must write exactly what `eventRecord` makes of the same values. */
export function compilePlan(nodes: readonly BinaryNode[]): EventPlan | undefined {
  try {
    const elements = nodes.filter((node) => typeof node !== 'string');
    const root = elements[0];
    if (root?.kind === 'element' && root.name === 'Event') return compileEvent(root);
    return compileParts(elements);
  } catch (error) {
    if (error instanceof NoPlan) return undefined;
    throw error;
  }
}

class NoPlan extends Error {}

function compileEvent(event: BinaryElement): EventPlan {
  const systems = event.children.filter((child) => isElement(child) && child.name === 'System');
  const others = event.children.filter((child) => !systems.includes(child));
  if (systems.length > 1) throw new NoPlan();
  const system = systems[0] === undefined ? [] : compileSystem(systems[0] as BinaryElement);
  return { ...compileParts(others), isEvent: true, system };
}

/** What stands in an event beside `System`. */
function compileParts(nodes: readonly BinaryNode[]): EventPlan {
  const bodyHoles: number[] = [];
  const elements: BinaryElement[] = [];
  for (const node of nodes) {
    if (typeof node === 'string') continue;
    if (node.kind === 'instance') throw new NoPlan();
    if (node.kind === 'hole') bodyHoles.push(node.index);
    else elements.push(node);
  }
  const grouped = new Map<string, ValuePlan[]>();
  const inserts: ValuePlan[] = [];
  for (const element of elements) {
    const { name } = element;
    const isTaken = systemFields.some(({ key }) => key === name) || derivedKeys.has(name);
    if (isTaken || name === 'RenderingInfo' || name === 'System') throw new NoPlan();
    const plan =
      name === 'EventData' ? dataPlan(element, inserts) : elementPlan(element, undefined);
    push(grouped, name, plan);
  }
  const data = elements.filter((one) => one.name === 'EventData');
  return {
    isEvent: false,
    system: [],
    body: members(grouped),
    bodyHoles,
    inserts: insertsOf(data, inserts),
  };
}

function insertsOf(
  all: readonly BinaryElement[],
  values: readonly ValuePlan[],
): InsertsPlan | undefined {
  const [data] = all;
  if (data === undefined) return { required: [], values: [] };
  const isText = values.every((value) => value.members === undefined);
  return all.length === 1 && isText ? { required: requiredOf(data), values } : undefined;
}

/** Keys that a record may have beside those of `System`. */
const derivedKeys = new Set([
  'LevelName',
  'TaskName',
  'OpcodeName',
  'KeywordNames',
  'Message',
  'message_source',
  'StringInserts',
  'Xml',
]);

function compileSystem(system: BinaryElement): (FieldPlan | undefined)[] {
  const names = new Set<string>();
  for (const child of system.children) {
    if (typeof child === 'string') continue;
    if (!isElement(child) || names.has(child.name) || !isSystemElement(child.name)) {
      throw new NoPlan();
    }
    names.add(child.name);
  }
  return systemFields.map(({ element, attribute, kind }) => {
    const node = system.children.find((child) => isElement(child) && child.name === element);
    if (node === undefined || !isElement(node)) return undefined;
    const required = [...dependencyOf(system), ...requiredOf(node)];
    const attributes = node.attributes.filter(({ name }) => name === attribute);
    if (attributes.length > 1) throw new NoPlan();
    const parts = attribute === undefined ? node.children : attributes[0]?.parts;
    if (parts === undefined || parts.length === 0) return undefined;
    const part = parts[0]!;
    if (parts.length > 1 || (typeof part === 'object' && part.kind !== 'hole')) throw new NoPlan();
    if (typeof part === 'object') {
      if (part.isOptional) required.push(part.index);
      return { required, text: undefined, json: Buffer.alloc(0), index: part.index };
    }
    const isNumber = kind === 'number' && isPlainNumber(part);
    const json = Buffer.from(isNumber ? part : JSON.stringify(wellFormed(part)));
    return { required, text: part, json, index: -1 };
  });
}

/** `inserts` gets the plans of the `Data` elements, in their order. */
function dataPlan(element: BinaryElement, inserts: ValuePlan[]): ValuePlan {
  const grouped = new Map<string, ValuePlan[]>();
  addAttributes(element, undefined, grouped);
  for (const child of element.children) {
    if (!isElement(child)) continue;
    const name = isData(child) ? fieldName(child) : undefined;
    const plan = elementPlan(child, name === undefined ? undefined : 'Name');
    if (child.name !== 'Data') push(grouped, name ?? child.name, plan);
    else {
      if (inserts.length >= slotsMax) throw new NoPlan();
      const insert = { ...plan, slot: inserts.length };
      inserts.push(insert);
      push(grouped, name ?? child.name, insert);
    }
  }
  addText(element, grouped);
  return objectPlan(element, grouped, true);
}

/** The `Name` of a data element; a name that is a value cannot be compiled. */
function fieldName(element: BinaryElement): string | undefined {
  const attribute = element.attributes.find(({ name }) => name === 'Name');
  if (attribute === undefined) return undefined;
  const { parts } = attribute;
  if (parts.length === 0) return '';
  if (parts.length > 1 || typeof parts[0] !== 'string') throw new NoPlan();
  return parts[0];
}

/** As `elementValue`: text where there is nothing else, an object otherwise. */
function elementPlan(element: BinaryElement, ignored: string | undefined): ValuePlan {
  const grouped = new Map<string, ValuePlan[]>();
  addAttributes(element, ignored, grouped);
  for (const child of element.children) {
    if (isElement(child)) push(grouped, child.name, elementPlan(child, undefined));
  }
  if (grouped.size > 0) {
    addText(element, grouped);
    return objectPlan(element, grouped, false);
  }
  const { children } = element;
  const only = children.length === 1 ? children[0]! : undefined;
  const isHole = typeof only === 'object' && only.kind === 'hole';
  return {
    required: requiredOf(element),
    members: undefined,
    mayBeEmpty: false,
    text: children.map(textPart),
    repeatable: isHole ? only.index : -1,
    slot: -1,
  };
}

function objectPlan(
  element: BinaryElement,
  grouped: ReadonlyMap<string, ValuePlan[]>,
  mayBeEmpty: boolean,
): ValuePlan {
  return {
    required: requiredOf(element),
    members: members(grouped),
    mayBeEmpty,
    text: [],
    repeatable: -1,
    slot: -1,
  };
}

function addAttributes(
  element: BinaryElement,
  ignored: string | undefined,
  grouped: Map<string, ValuePlan[]>,
): void {
  for (const { name, parts } of element.attributes) {
    if (name === ignored || isNamespace(name)) continue;
    const required = parts.flatMap((part) => optionalIndex(part));
    push(grouped, `@${name}`, {
      required,
      members: undefined,
      mayBeEmpty: false,
      text: parts.map(textPart),
      repeatable: -1,
      slot: -1,
    });
  }
}

/** The text of an element that is an object: a constant; a value may be blank or not. */
function addText(element: BinaryElement, grouped: Map<string, ValuePlan[]>): void {
  let text = '';
  for (const child of element.children) {
    if (typeof child === 'string') text += child;
    else if (!isElement(child)) throw new NoPlan();
  }
  if (text.trim() === '') return;
  push(grouped, '#text', {
    required: [],
    members: undefined,
    mayBeEmpty: false,
    text: [textPart(text)],
    repeatable: -1,
    slot: -1,
  });
}

function textPart(part: BinaryNode): TextPart {
  if (typeof part === 'string') {
    const json = JSON.stringify(wellFormed(part));
    return { literal: Buffer.from(json.slice(1, -1)), index: -1 };
  }
  if (part.kind !== 'hole') throw new NoPlan();
  return { literal: undefined, index: part.index };
}

function members(grouped: ReadonlyMap<string, ValuePlan[]>): MemberPlan[] {
  return [...grouped].map(([name, values]) => ({
    key: Buffer.from(`${JSON.stringify(wellFormed(name))}:`),
    name,
    values,
  }));
}

function requiredOf(element: BinaryElement): number[] {
  return [...dependencyOf(element), ...element.children.flatMap((child) => optionalIndex(child))];
}

function dependencyOf(element: BinaryElement): number[] {
  return element.dependency >= 0 ? [element.dependency] : [];
}

function optionalIndex(part: BinaryNode | BinaryPart): number[] {
  return typeof part === 'object' && part.kind === 'hole' && part.isOptional ? [part.index] : [];
}

function isElement(node: BinaryNode): node is BinaryElement {
  return typeof node === 'object' && node.kind === 'element';
}

function push(grouped: Map<string, ValuePlan[]>, key: string, plan: ValuePlan): void {
  const known = grouped.get(key);
  if (known === undefined) grouped.set(key, [plan]);
  else known.push(plan);
}
