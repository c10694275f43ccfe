import { levelNames, type NumberScale, type WordScale } from '../../shared/severity/levels.ts';

export const schema = {
  type: 'object',
  properties: {
    key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      default: 'level',
      description: 'Field that holds the level, as a word or a number.',
    },
    target: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description: 'Field that gets the normalised level; the same as `key` when absent.',
    },
    number_target: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field that gets the level as a number that can be compared: the severity number of OpenTelemetry, 1 to 24.',
    },
    from: {
      enum: ['auto', 'syslog', 'windows', 'pino'],
      default: 'auto',
      description:
        'What numbers mean. `auto`: 0 to 7 as in syslog, 10 and more as in pino and bunyan. `windows`: 1 critical to 5 verbose.',
    },
    scale: {
      enum: ['six', 'four', 'syslog'],
      default: 'six',
      description:
        'Levels to write. `six`: TRACE DEBUG INFO WARN ERROR FATAL. `four`: INFO WARN ERROR FATAL. `syslog`: DEBUG INFO NOTICE WARNING ERR CRIT ALERT EMERG.',
    },
    case: {
      enum: ['upper', 'lower'],
      default: 'upper',
      description: 'Case of the words to write.',
    },
    unknown: {
      enum: ['keep', 'remove', ...levelNames],
      default: 'keep',
      description:
        'What becomes of a level that is not known: it stays, the target is removed, or it becomes the level named here.',
    },
    missing: {
      enum: ['keep', ...levelNames],
      default: 'keep',
      description: 'The level of records that have none; with `keep` they stay without.',
    },
    tag_on_failure: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: ['_severityunknown'],
      description: 'Marks put into `tags` when a level is not known.',
    },
  },
} as const;

export interface Options {
  readonly key?: string;
  readonly target?: string;
  readonly number_target?: string;
  readonly from?: NumberScale;
  readonly scale?: WordScale;
  readonly case?: 'upper' | 'lower';
  readonly unknown?: string;
  readonly missing?: string;
  readonly tag_on_failure?: readonly string[];
}
