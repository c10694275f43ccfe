import { type Field, MemberCursor, spliceJson } from '../../../core/sdk/index.ts';
import type { LokiOptions } from './config.ts';

/** Makes the line of a record out of the record's JSON. */
export class LineWriter {
  private readonly removed: readonly Field[];
  private readonly isKeyValue: boolean;
  private readonly single: 'off' | 'on' | 'raw';
  private readonly cursor = new MemberCursor();

  constructor(options: LokiOptions, removed: readonly Field[]) {
    this.removed = removed;
    this.isKeyValue = options.line_format === 'key_value';
    this.single = singleOf(options.drop_single_key);
  }

  /** True when the line is the record's JSON as it stands. */
  get isPlain(): boolean {
    return this.removed.length === 0 && !this.isKeyValue && this.single === 'off';
  }

  /** True when the line of a record that is one text is that text. */
  get isSingleText(): boolean {
    return this.removed.length === 0 && this.single === 'raw';
  }

  /** `json` is an object; what is returned may be a part of it. */
  line(json: Buffer): Buffer {
    let record = json;
    for (const { keys, literal } of this.removed) {
      if (literal !== undefined) record = spliceJson(record, [literal], undefined);
      record = spliceJson(record, keys, undefined);
    }
    if (this.single !== 'off') {
      const value = this.singleValue(record);
      if (value !== undefined) return value;
    }
    return this.isKeyValue ? Buffer.from(this.keyValues(record)) : record;
  }

  private singleValue(record: Buffer): Buffer | undefined {
    const { cursor } = this;
    cursor.start(record, 0);
    if (!cursor.next()) return undefined;
    const value = record.subarray(cursor.valueStart, cursor.valueEnd);
    if (cursor.next()) return undefined;
    if (value[0] !== 0x22 || (this.single === 'on' && !this.isKeyValue)) return value;
    // A JSON string.
    const text = JSON.parse(value.toString()) as string;
    return Buffer.from(this.single === 'raw' ? text : JSON.stringify(text));
  }

  private keyValues(record: Buffer): string {
    const pairs: string[] = [];
    const { cursor } = this;
    cursor.start(record, 0);
    while (cursor.next()) {
      const value = record.toString('utf8', cursor.valueStart, cursor.valueEnd);
      const isNested = value.startsWith('{') || value.startsWith('[');
      pairs.push(`${cursor.keyText()}=${isNested ? JSON.stringify(value) : value}`);
    }
    return pairs.join(' ');
  }
}

function singleOf(option: LokiOptions['drop_single_key']): 'off' | 'on' | 'raw' {
  if (typeof option === 'boolean') return option ? 'on' : 'off';
  return option;
}
