/** Binary XML as it is stored: elements with holes that a template instance's values fill. */
export type BinaryNode = BinaryElement | BinaryPart;

/** What content and attribute values consist of. */
export type BinaryPart = string | Hole | TemplateInstance;

export interface BinaryElement {
  readonly kind: 'element';
  readonly name: string;
  /** Index of the value without which the element is left out, or -1. */
  readonly dependency: number;
  readonly attributes: readonly BinaryAttribute[];
  readonly children: readonly BinaryNode[];
}

export interface BinaryAttribute {
  readonly name: string;
  readonly parts: readonly BinaryPart[];
}

/** A place that value `index` fills. An optional one without a value takes the element or the
 *  attribute around it along. */
export interface Hole {
  readonly kind: 'hole';
  readonly index: number;
  readonly isOptional: boolean;
}

export interface TemplateInstance {
  readonly kind: 'instance';
  /** Where the definition stands in the chunk. */
  readonly definition: number;
  readonly values: readonly BinaryValue[];
  /** Where the instance ends. */
  readonly end: number;
}

/** A typed value in the chunk's bytes. */
export interface BinaryValue {
  readonly type: number;
  readonly start: number;
  readonly size: number;
}

/** Value types ([MS-EVEN6] 2.2.12.3); `array` is a flag. */
export const valueTypes = {
  null: 0x00,
  string: 0x01,
  ansiString: 0x02,
  int8: 0x03,
  uint8: 0x04,
  int16: 0x05,
  uint16: 0x06,
  int32: 0x07,
  uint32: 0x08,
  int64: 0x09,
  uint64: 0x0a,
  real32: 0x0b,
  real64: 0x0c,
  bool: 0x0d,
  binary: 0x0e,
  guid: 0x0f,
  size: 0x10,
  fileTime: 0x11,
  systemTime: 0x12,
  sid: 0x13,
  hexInt32: 0x14,
  hexInt64: 0x15,
  handle: 0x20,
  binaryXml: 0x21,
  xml: 0x23,
  array: 0x80,
} as const;
