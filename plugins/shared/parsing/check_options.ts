import {
  messageOf,
  type OptionProblem,
  timeZone,
  compileDateFormat,
} from '../../../core/sdk/index.ts';
import { readDecoderRules } from './field_decoders.ts';
import { readFieldTypes } from './field_types.ts';
import type { ParserOptions } from './parser_options.ts';

/** Finds what is wrong with the options that all parsers share. */
export function checkParserOptions(options: ParserOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const reportAt = (key: string) => (message: string) => {
    problems.push({ path: [key], message });
  };
  readFieldTypes(options.types ?? [], reportAt('types'));
  readDecoderRules(options.decode_field ?? [], reportAt('decode_field'));
  readDecoderRules(options.decode_field_as ?? [], reportAt('decode_field_as'));
  const { time_format: format, time_zone: zone, time_offset: offset } = options;
  if (format !== undefined) attempt(() => compileDateFormat(format), reportAt('time_format'));
  if (zone !== undefined) attempt(() => timeZone(zone), reportAt('time_zone'));
  if (offset !== undefined) attempt(() => timeZone(offset), reportAt('time_offset'));
  return problems;
}

/** Calls `make` and reports what it throws. */
export function attempt(make: () => unknown, report: (message: string) => void): void {
  try {
    make();
  } catch (error) {
    report(messageOf(error));
  }
}
