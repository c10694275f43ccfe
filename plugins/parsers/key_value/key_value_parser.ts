import type { ParsedFields } from '../../../core/sdk/index.ts';
import { FieldParser, parsedFieldsMax } from '../../shared/parsing/field_parser.ts';
import type { ParserContext } from '../../shared/parsing/parser_options.ts';
import type { Options } from './config.ts';
import { PairScanner } from './pair_scanner.ts';

/** Reads pairs such as `a=1 b="two words" c=(3)`; a key that comes again makes a list. */
export class KeyValueParser extends FieldParser {
  readonly fixedKeys = false;
  private readonly scanner: PairScanner;
  private readonly trimKey: string;
  private readonly trimValue: string;
  private readonly prefix: string;
  private readonly keepsDuplicates: boolean;
  private readonly included: ReadonlySet<string> | undefined;
  private readonly excluded: ReadonlySet<string>;
  private readonly positions = new Map<string, number>();

  constructor(options: Options, context: ParserContext) {
    super(options, context);
    this.scanner = new PairScanner({
      fieldSplit: written(options.field_split ?? ' '),
      valueSplit: written(options.value_split ?? '='),
      brackets: options.include_brackets ?? true,
      lenient: options.whitespace !== 'strict',
    });
    this.trimKey = options.trim_key ?? '';
    this.trimValue = options.trim_value ?? '';
    this.prefix = options.prefix ?? '';
    this.keepsDuplicates = options.allow_duplicate_values ?? true;
    this.included = options.include_keys === undefined ? undefined : new Set(options.include_keys);
    this.excluded = new Set(options.exclude_keys ?? []);
  }

  protected override read(text: string, into: ParsedFields): boolean {
    const { scanner, positions } = this;
    positions.clear();
    scanner.start(text);
    let pairs = 0;
    while (scanner.next()) {
      if (++pairs > parsedFieldsMax) return false;
      const key = trim(scanner.key, this.trimKey);
      if (key === '' || this.excluded.has(key) || this.included?.has(key) === false) continue;
      this.add(into, this.prefix + key, trim(scanner.value, this.trimValue));
    }
    return into.count > 0;
  }

  private add(into: ParsedFields, key: string, value: string): void {
    const position = this.positions.get(key);
    if (position === undefined) {
      this.positions.set(key, into.count);
      into.set(key, value);
      return;
    }
    const known = into.values[position];
    if (!Array.isArray(known)) {
      if (this.keepsDuplicates || known !== value) into.values[position] = [known, value];
    } else if (this.keepsDuplicates || !known.includes(value)) known.push(value);
  }
}

function written(characters: string): string {
  return characters.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

function trim(text: string, characters: string): string {
  if (characters === '') return text;
  let start = 0;
  let end = text.length;
  while (start < end && characters.includes(text[start]!)) start++;
  while (end > start && characters.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}
