import { type ParsedFields, topLevel } from '../../../core/sdk/index.ts';
import { FieldParser, parsedFieldsMax } from '../../shared/parsing/field_parser.ts';
import type { ParserContext } from '../../shared/parsing/parser_options.ts';
import type { Options } from './config.ts';
import { readCells } from './csv_cells.ts';

/** With more columns than this, events are written as a whole instead of field by field. */
const fixedColumnsMax = 48;

/** Reads comma-separated values, one record a text. */
export class CsvParser extends FieldParser {
  fixedKeys: boolean;
  /** The text just parsed was the header. */
  consumed = false;

  private readonly separator: string;
  private readonly quote: string;
  private readonly detects: boolean;
  private readonly dropsHeader: boolean;
  private header: string | undefined;
  private names: string[];
  private readonly cells: string[] = [];

  constructor(options: Options, context: ParserContext) {
    super(options, context);
    this.separator = (options.separator ?? ',').replaceAll('\\t', '\t');
    this.quote = options.quote_char ?? '"';
    this.names = [...(options.columns ?? [])];
    for (const name of this.names) context.declare(topLevel(name));
    this.detects = options.autodetect_column_names === true && this.names.length === 0;
    this.dropsHeader = options.skip_header === true && this.names.length > 0;
    this.fixedKeys = this.names.length > 0 && this.names.length <= fixedColumnsMax;
  }

  protected override read(text: string, into: ParsedFields): boolean {
    this.consumed = false;
    if (this.header !== undefined && text === this.header) {
      this.consumed = true;
      return true;
    }
    const cells = this.cells;
    if (!readCells(text, this.separator, this.quote, parsedFieldsMax, cells)) return false;
    if (this.detects && this.header === undefined) {
      this.header = text;
      this.names = cells.map((cell, i) => cell.trim() || `column${i + 1}`);
      this.consumed = true;
      return true;
    }
    if (this.dropsHeader && this.isHeader(cells)) {
      this.consumed = true;
      return true;
    }
    for (let i = 0; i < cells.length; i++) into.set(this.nameOf(i), cells[i]);
    return true;
  }

  private nameOf(position: number): string {
    while (this.names.length <= position) {
      this.names.push(`column${this.names.length + 1}`);
      if (this.names.length > fixedColumnsMax) this.fixedKeys = false;
    }
    return this.names[position]!;
  }

  private isHeader(cells: readonly string[]): boolean {
    return cells.every((cell, i) => cell.trim() === this.names[i]);
  }
}
