/** How a field of `System` becomes a member: `number` as a JSON number where it is one, the others
 *  as text. */
export type SystemFieldKind = 'text' | 'number' | 'keywords' | 'time';

export interface SystemField {
  /** Name in the record: Fluent Bit's, where that has the field. */
  readonly key: string;
  readonly element: string;
  /** Undefined: the element's text. */
  readonly attribute: string | undefined;
  readonly kind: SystemFieldKind;
}

/** What `Event/System` holds, in the order of the record. */
export const systemFields: readonly SystemField[] = [
  field('ProviderName', 'Provider', 'Name', 'text'),
  field('ProviderGuid', 'Provider', 'Guid', 'text'),
  field('EventSourceName', 'Provider', 'EventSourceName', 'text'),
  field('Qualifiers', 'EventID', 'Qualifiers', 'number'),
  field('EventID', 'EventID', undefined, 'number'),
  field('Version', 'Version', undefined, 'number'),
  field('Level', 'Level', undefined, 'number'),
  field('Task', 'Task', undefined, 'number'),
  field('Opcode', 'Opcode', undefined, 'number'),
  field('Keywords', 'Keywords', undefined, 'keywords'),
  field('TimeCreated', 'TimeCreated', 'SystemTime', 'time'),
  field('EventRecordID', 'EventRecordID', undefined, 'number'),
  field('ActivityID', 'Correlation', 'ActivityID', 'text'),
  field('RelatedActivityID', 'Correlation', 'RelatedActivityID', 'text'),
  field('ProcessID', 'Execution', 'ProcessID', 'number'),
  field('ThreadID', 'Execution', 'ThreadID', 'number'),
  field('ProcessorID', 'Execution', 'ProcessorID', 'number'),
  field('SessionID', 'Execution', 'SessionID', 'number'),
  field('KernelTime', 'Execution', 'KernelTime', 'number'),
  field('UserTime', 'Execution', 'UserTime', 'number'),
  field('ProcessorTime', 'Execution', 'ProcessorTime', 'number'),
  field('Channel', 'Channel', undefined, 'text'),
  field('Computer', 'Computer', undefined, 'text'),
  field('UserID', 'Security', 'UserID', 'text'),
];

/** Index of a field in the table, or -1: the caller keeps what it does not know. */
export function systemFieldIndex(element: string, attribute: string | undefined): number {
  return systemFields.findIndex((one) => one.element === element && one.attribute === attribute);
}

export function isSystemElement(element: string): boolean {
  return systemElements.has(element);
}

const systemElements: ReadonlySet<string> = new Set(systemFields.map(({ element }) => element));

/** True for text that a JSON number says exactly, in doubles too. */
export function isPlainNumber(text: string): boolean {
  return /^(?:0|-?[1-9][0-9]{0,14})$/.test(text);
}

function field(
  key: string,
  element: string,
  attribute: string | undefined,
  kind: SystemFieldKind,
): SystemField {
  return { key, element, attribute, kind };
}
