import {
  compileDatePattern,
  compileTemplate,
  renderTemplate,
  type Template,
  type TemplateSource,
} from '../../../core/sdk/index.ts';

/** A record with what templates ask for beside its fields. */
export interface RecordFacts {
  readonly record: Readonly<Record<string, unknown>>;
  readonly json: string;
  readonly tag: string;
  readonly seconds: number;
  readonly nanos: number;
}

export interface EventTextOptions {
  readonly message: string;
  readonly includesRecord: boolean;
  readonly charactersMax: number;
}

/** Way to a value; as `Field` of the SDK has it. */
interface KeyPath {
  readonly keys: readonly string[];
  readonly literal?: string | undefined;
}

/** Makes the texts of events. */
export class EventText {
  /** Whether the text made last had to be cut. */
  wasCut = false;
  private readonly options: EventTextOptions;
  private readonly template: Template;
  private readonly dates = new Map<string, (seconds: number, nanos: number) => string>();

  constructor(options: EventTextOptions) {
    this.options = options;
    this.template = compileTemplate(options.message);
    for (const part of this.template.parts) {
      if (part.kind === 'date') this.dates.set(part.pattern, compileDatePattern(part.pattern));
    }
  }

  of(facts: RecordFacts): string {
    const { includesRecord, charactersMax } = this.options;
    const message = renderTemplate(this.template, this.source(facts));
    const json = includesRecord || message === undefined ? facts.json : undefined;
    const text = [message, json].filter((part) => part !== undefined).join('\r\n\r\n');
    const safe = safeText(text);
    this.wasCut = safe.length > charactersMax;
    return this.wasCut ? cut(safe, charactersMax) : safe;
  }

  private source(facts: RecordFacts): TemplateSource {
    return {
      tag: facts.tag,
      get: (path) => valueAt(facts.record, path),
      formatTime: (pattern) => this.dates.get(pattern)!(facts.seconds, facts.nanos),
    };
  }
}

/** The value of a field in a parsed record. */
export function valueAt(record: Readonly<Record<string, unknown>>, path: KeyPath): unknown {
  if (path.literal !== undefined && Object.hasOwn(record, path.literal)) {
    return record[path.literal];
  }
  let value: unknown = record;
  for (const key of path.keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

/** What Event Viewer would not show as it stands: a NUL ends a string, and `%1` is replaced by an
 *  insert. Source: ReportEventW, lpStrings. */
function safeText(text: string): string {
  return text.replaceAll('\0', '\u2400').replace(/%(?=[\d%])/g, '% ');
}

const ellipsis = ' \u2026';

function cut(text: string, charactersMax: number): string {
  let end = charactersMax - ellipsis.length;
  const last = text.charCodeAt(end - 1);
  // Not between the halves of a surrogate pair.
  if (last >= 0xd800 && last <= 0xdbff) end--;
  return text.slice(0, end) + ellipsis;
}
