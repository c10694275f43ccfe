import { type ParsedFields, topLevel } from '../../../core/sdk/index.ts';
import { FieldParser } from '../../shared/parsing/field_parser.ts';
import type { ParserContext } from '../../shared/parsing/parser_options.ts';
import type { Options } from './config.ts';
import { Priority } from './priority.ts';
import { readRfc3164, rfc3164TimeFormats } from './rfc3164.ts';
import { looksLikeRfc5424, readRfc5424 } from './rfc5424.ts';

/** What records of either format have, in their order. */
const syslogFields = [
  'pri',
  'facility',
  'facility_name',
  'severity',
  'severity_name',
  'sequence',
  'time',
  'host',
  'ident',
  'pid',
  'msgid',
  'structured_data',
  'message',
];

/** Reads syslog messages of either format. The time is taken from `time` unless the definition
 *  says otherwise. */
export class SyslogParser extends FieldParser {
  readonly fixedKeys = true;
  private readonly standard: 'auto' | 'rfc3164' | 'rfc5424';
  private readonly priority = new Priority();

  constructor(options: Options, context: ParserContext) {
    super(options, context, { key: 'time', formats: rfc3164TimeFormats });
    this.standard = options.standard ?? 'auto';
    for (const name of syslogFields) context.declare(topLevel(name));
  }

  protected override read(text: string, into: ParsedFields): boolean {
    const priority = this.priority;
    const behind = priority.read(text);
    if (behind < 0) {
      // Files that syslog daemons write have no priority.
      return this.standard !== 'rfc5424' && readRfc3164(text, 0, false, into);
    }
    into.set('pri', priority.value);
    into.set('facility', priority.facility);
    into.set('facility_name', priority.facilityName);
    into.set('severity', priority.severity);
    into.set('severity_name', priority.severityName);
    if (this.standard === 'rfc5424') return readRfc5424(text, behind, into);
    if (this.standard === 'rfc3164' || !looksLikeRfc5424(text, behind)) {
      return readRfc3164(text, behind, true, into);
    }
    return readRfc5424(text, behind, into);
  }
}
