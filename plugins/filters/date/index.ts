import {
  compileDateFormat,
  defineFilter,
  messageOf,
  type OptionProblem,
  timeZone,
} from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { DateFilter } from './date_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'date',
  summary: 'Reads a field as a date and makes it the time of the record.',
  stability: 'beta',
  isStateless: true,
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: access
  filters:
    - name: parser
      match: access
      parser: ltsv
    - name: date
      match: access
      key: time
      formats: ['[%d/%b/%Y:%H:%M:%S %z]', ISO8601]
      timezone: Europe/Berlin
      remove: true
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkDates,
  create: (options, context) => new DateFilter(options, context),
});

function checkDates(options: Options): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const attempt = (path: readonly string[], make: () => unknown) => {
    try {
      make();
    } catch (error) {
      problems.push({ path, message: messageOf(error) });
    }
  };
  const { timezone, formats = [] } = options;
  if (timezone !== undefined) attempt(['timezone'], () => timeZone(timezone));
  formats.forEach((format, i) => {
    attempt(['formats', String(i)], () => compileDateFormat(format));
  });
  return problems;
}
