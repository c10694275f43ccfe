import { levelNames } from '../../shared/severity/levels.ts';
import { eventIdMax } from '../../shared/windows_native/event_source.ts';

/** Longest string of one event. Source: ReportEventW, lpStrings. */
export const textCharactersMax = 31_839;

export const schema = {
  type: 'object',
  properties: {
    source: {
      type: 'string',
      pattern: '^[^\\\\\\x00-\\x1f]{1,200}$',
      default: 'Sluice',
      description: 'Source that Event Viewer shows for the events.',
    },
    log: {
      type: 'string',
      pattern: '^[^\\\\\\x00-\\x1f]{1,200}$',
      default: 'Application',
      description:
        'Log of the source where it has to be registered. A source that is registered already belongs to one log, and its events go there.',
    },
    register_source: {
      type: 'boolean',
      default: true,
      description:
        'Whether a source that is not registered is registered at the start, which needs an administrator. Without that events are written all the same, and Event Viewer puts a sentence about the missing description before their text.',
    },
    severity_key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      default: 'level',
      description:
        'Field with the level of a record, as a word (`error`, `WARN`, `crit`) or as a number as `severity_numbers` says.',
    },
    severity_numbers: {
      enum: ['auto', 'syslog', 'windows', 'pino'],
      default: 'auto',
      description:
        'What a level that is a number means. `auto`: 0 to 7 as in syslog, 10 and more as in pino and bunyan. `windows`: 1 critical to 5 verbose.',
    },
    severity_min: {
      enum: levelNames,
      default: 'error',
      description: 'Level from which records are written; those below it are counted and left out.',
    },
    severity_missing: {
      enum: levelNames,
      default: 'info',
      description: 'Level of records that have none, or one that is not known.',
    },
    message: {
      type: 'string',
      minLength: 1,
      'x-type': 'template',
      default: '%{message}',
      description:
        'First part of the text of an event; may hold `%{field}`, `%{+YYYY-MM-dd}` and `$TAG`. Left out of the text where a record lacks a field.',
    },
    include_record: {
      type: 'boolean',
      default: true,
      description: 'Whether the whole record follows as JSON, behind an empty line.',
    },
    text_max: {
      type: 'integer',
      minimum: 100,
      maximum: textCharactersMax,
      default: 8000,
      description: 'Most characters of the text of an event; the rest is cut off and counted.',
    },
    event_id: {
      type: 'integer',
      minimum: 1,
      maximum: eventIdMax,
      default: 1,
      description:
        'Id of the events. The ids are those whose message in EventCreate.exe, which the source is registered with, is the text alone.',
    },
    rate: {
      type: 'integer',
      minimum: 1,
      maximum: 60_000,
      default: 60,
      description: 'Most events a minute, as many of them at once as the last minute left over.',
    },
    over_rate: {
      enum: ['summarize', 'wait'],
      default: 'summarize',
      description:
        'What becomes of records above `rate`. `summarize` counts them, leaves them out and writes one event that says how many they were; `wait` holds them back, and at last their sources.',
    },
  },
} as const;

/** Options after normalising. */
export interface WindowsEventLogOptions {
  readonly source: string;
  readonly log: string;
  readonly register_source: boolean;
  readonly severity_key: string;
  readonly severity_numbers: 'auto' | 'syslog' | 'windows' | 'pino';
  readonly severity_min: string;
  readonly severity_missing: string;
  readonly message: string;
  readonly include_record: boolean;
  readonly text_max: number;
  readonly event_id: number;
  readonly rate: number;
  readonly over_rate: 'summarize' | 'wait';
}
