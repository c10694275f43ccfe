import {
  type PatternOptions,
  patternProperties,
} from '../../shared/file_finder/pattern_options.ts';

export const schema = {
  type: 'object',
  required: ['path'],
  properties: {
    ...patternProperties,
    read_from_head: {
      'x-type': 'boolean_word',
      default: true,
      description:
        'Whether files that are there at the start, and that no checkpoint knows, are read from their oldest record; otherwise only records that come later are read. Files that appear later are always read whole.',
    },
    refresh_interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      default: '1s',
      description: 'Time between two looks for new files and for records added to known ones.',
    },
    exit_on_eof: {
      'x-type': 'boolean_word',
      default: false,
      description: 'Whether the input ends once all files found at the start were read.',
    },
    include_slack: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether records of earlier uses, which still stand behind the last record of a chunk, are read as well, with `Slack: true`. Those of the newest chunk are read with `exit_on_eof` only, and in every run.',
    },
    read_damaged_chunks: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether the whole records of chunks with a wrong checksum are read; otherwise such chunks are skipped and counted.',
    },
    string_inserts: {
      'x-type': 'boolean_word',
      default: true,
      description:
        'Whether records get `StringInserts`, the values of `EventData` in order, as those of `winevtlog` do.',
    },
    render_xml: {
      'x-type': 'boolean_word',
      default: false,
      description:
        "Whether records get `Xml`, the event's whole XML in one line; reading is slower then.",
    },
    path_key: {
      type: 'string',
      minLength: 1,
      description: 'Field that gets the path of the file; none when absent.',
    },
  },
} as const;

/** The options after defaults and units: durations in ms. */
export interface EvtxOptions extends PatternOptions {
  readonly read_from_head: boolean;
  readonly refresh_interval: number;
  readonly exit_on_eof: boolean;
  readonly include_slack: boolean;
  readonly read_damaged_chunks: boolean;
  readonly string_inserts: boolean;
  readonly render_xml: boolean;
  readonly path_key?: string;
}
