import { HeldBytes } from './assembled_record.ts';
import { ContainerLine } from './container_line.ts';

/** The record of one stream that is being put together. */
export class HeldGroup {
  /** Place in the assembler's list of rules. */
  readonly rulesIndex: number;
  readonly name: string;
  /** State of the machine behind the last line; '' when no record is open. */
  state = '';
  readonly content = new HeldBytes();
  isOpen = false;
  offset = 0;
  offsetEnd = 0;
  /** When it is passed on as it is (monotonic). */
  deadlineMs = 0;
  /** Of the first line: what stands before the content, or the whole Docker object. */
  readonly prefix = new HeldBytes();
  readonly line = new ContainerLine();
  keys: string[] = [];
  values: unknown[] = [];
  contentKey = '';

  constructor(rulesIndex: number, name: string) {
    this.rulesIndex = rulesIndex;
    this.name = name;
  }

  /** Begins a record at `offset`; the state is the caller's. */
  begin(offset: number): void {
    this.isOpen = true;
    this.offset = offset;
    this.content.clear();
    this.prefix.clear();
  }

  end(): void {
    this.isOpen = false;
    this.content.clear();
    this.prefix.clear();
    this.keys = [];
    this.values = [];
  }

  /** Keeps the first line's prefix and where its parts are in it. */
  keepLine(line: ContainerLine, bytes: Buffer, start: number, end: number): void {
    this.prefix.append(bytes, start, end);
    this.line.timeStart = line.timeStart - start;
    this.line.timeEnd = line.timeEnd - start;
    this.line.streamStart = line.streamStart - start;
    this.line.streamEnd = line.streamEnd - start;
    this.line.markAt = line.markAt - start;
  }
}
