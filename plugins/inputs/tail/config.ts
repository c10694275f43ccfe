import {
  type PatternOptions,
  patternProperties,
} from '../../shared/file_finder/pattern_options.ts';

const ownCheckpoints = 'Sluice keeps its own checkpoints, under `storage.path` of the service.';
const ownPace = 'Sluice chooses how often it looks at files by itself.';

export const schema = {
  type: 'object',
  required: ['path'],
  properties: {
    ...patternProperties,
    key: {
      type: 'string',
      minLength: 1,
      default: 'log',
      description: 'Field that a line is put under.',
    },
    read_from_head: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether files that are there at the start, and that no checkpoint knows, are read from their beginning instead of from their end.',
    },
    read_newly_discovered_files_from_head: {
      'x-type': 'boolean_word',
      default: true,
      description:
        'Whether files that appear after the start are read from their beginning instead of from their end.',
    },
    refresh_interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      default: '5s',
      description:
        'Time between two full searches for files; new names in known directories are seen within a fraction of a second besides.',
    },
    rotate_wait: {
      'x-type': 'duration',
      default: '5s',
      description:
        'How long a file is still watched after it was renamed out of the patterns or deleted and its end was read, and how long a copy is waited for before it counts as a file of its own.',
    },
    path_key: {
      type: 'string',
      minLength: 1,
      description:
        'Field that gets the path under which the file was first seen; none when absent.',
    },
    offset_key: {
      type: 'string',
      minLength: 1,
      description:
        "Field that gets the byte position of the record's first byte in the file; none when absent.",
    },
    ignore_older: {
      'x-type': 'duration',
      default: '0s',
      description: 'Files not modified for this long are not opened; 0 means any age.',
    },
    ignore_active_older_files: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether files that are being read are closed as well at the age of `ignore_older`.',
    },
    buffer_max_size: {
      'x-type': 'size',
      'x-minimum': 16,
      description:
        'Longest line, in bytes of the file, without its line end; `event_max_bytes` of the service when absent. `long_lines` says what happens to longer ones.',
    },
    long_lines: {
      enum: ['split', 'truncate', 'skip'],
      description:
        'What happens to a line longer than `buffer_max_size`: `split` makes several records of it, `truncate` keeps its beginning, `skip` leaves it out; each is counted. `split` when absent.',
    },
    skip_long_lines: {
      'x-type': 'boolean_word',
      default: false,
      description: 'The same as `long_lines: skip`, where that is absent.',
    },
    truncate_long_lines: {
      'x-type': 'boolean_word',
      default: false,
      description: 'The same as `long_lines: truncate`, where that is absent.',
    },
    skip_empty_lines: {
      'x-type': 'boolean_word',
      default: false,
      description: 'Whether empty lines are left out instead of becoming empty records.',
    },
    unfinished_line_timeout: {
      'x-type': 'duration',
      default: '60s',
      description:
        'How long the last line may stay without its line end before it is passed on as it is; what is written to it later is a record of its own. 0 means never before the input ends or the file is rotated.',
    },
    exit_on_eof: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether the input ends once all files found at the start were read to their end; a last line without a line end is passed on then.',
    },
    open_files_max: {
      type: 'integer',
      minimum: 1,
      maximum: 100000,
      default: 4096,
      description:
        'Most files kept open; beyond it those quiet for longest are closed and opened again when they grow. Rotated files stay open until their end was read.',
    },
    parser: {
      type: 'string',
      minLength: 1,
      'x-ref': 'parser',
      description:
        'Parser that makes the fields of a record from its line; a line that it does not understand stays under `key`.',
    },
    tag_regex: {
      type: 'string',
      minLength: 1,
      'x-type': 'regex',
      description:
        "Expression over the file's path whose named groups stand for `<name>` in the tag, such as `(?<pod>[^/]+)\\.log$`.",
    },
    'multiline.parser': {
      'x-type': 'comma_list',
      'x-ref': 'multiline_parser',
      description:
        'Multiline parsers that put lines together to records: `docker`, `cri`, `java`, `python`, `go`, `ruby` or names defined under `multiline_parsers`; of several the first that fits a line takes it.',
    },
    multiline_buffer_limit: {
      'x-type': 'size',
      'x-minimum': 1024,
      default: '2MB',
      description:
        'Most bytes that one file may hold for unfinished multiline records; a longer record leaves in pieces and is counted.',
    },
    multiline: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether records begin with a line that `parser_firstline` understands; `multiline.parser` is the newer way.',
    },
    parser_firstline: {
      type: 'string',
      minLength: 1,
      'x-ref': 'parser',
      description: 'Parser of the first line of a record, with `multiline: true`.',
    },
    multiline_flush: {
      'x-type': 'duration',
      default: '4s',
      description: 'How long the lines of a record are waited for, with `multiline: true`.',
    },
    docker_mode: {
      'x-type': 'boolean_word',
      default: false,
      description: 'The same as `multiline.parser: docker`.',
    },
    docker_mode_flush: {
      'x-type': 'duration',
      default: '4s',
      description: 'How long the parts of a line are waited for, with `docker_mode: true`.',
    },
    docker_mode_parser: {
      type: 'string',
      'x-ignored': 'Use the `parser` filter on the joined record instead.',
      description: 'Accepted for Fluent Bit files; does nothing.',
    },
    'unicode.encoding': {
      type: 'string',
      minLength: 1,
      description:
        'Unicode encoding of the files: `UTF-8`, `UTF-16LE`, `UTF-16BE`, or `auto`, which goes by the byte order mark and is the default.',
    },
    'generic.encoding': {
      type: 'string',
      minLength: 1,
      description:
        'Other encoding of the files, such as `GBK`, `GB18030`, `Big5`, `ShiftJIS`, `UHC`, `Win1252` or `ISO-8859-1`.',
    },
    buffer_chunk_size: {
      'x-type': 'size',
      'x-ignored': 'Sluice reads 256 KiB at a time.',
      description: 'Accepted for Fluent Bit files; does nothing.',
    },
    static_batch_size: {
      'x-type': 'size',
      'x-ignored': 'Files take turns block by block.',
      description: 'Accepted for Fluent Bit files; does nothing.',
    },
    event_batch_size: {
      'x-type': 'size',
      'x-ignored': 'Files take turns block by block.',
      description: 'Accepted for Fluent Bit files; does nothing.',
    },
    watcher_interval: ignoredDuration(ownPace),
    progress_check_interval: ignoredDuration(ownPace),
    progress_check_interval_nsec: {
      type: 'integer',
      'x-ignored': ownPace,
      description: 'Accepted for Fluent Bit files; does nothing.',
    },
    inotify_watcher: ignoredSwitch('Sluice polls directories, which costs less here.'),
    file_cache_advise: ignoredSwitch('Node.js has no such call.'),
    'windows.path_encoding': ignoredText('Paths are Unicode.'),
    db: ignoredText(ownCheckpoints),
    'db.sync': ignoredText(ownCheckpoints),
    'db.locking': ignoredSwitch(ownCheckpoints),
    'db.journal_mode': ignoredText(ownCheckpoints),
    'db.compare_filename': ignoredSwitch('Files are told apart by inode and content.'),
  },
} as const;

function ignoredDuration(reason: string) {
  return {
    'x-type': 'duration',
    'x-ignored': reason,
    description: 'Accepted for Fluent Bit files; does nothing.',
  } as const;
}

function ignoredSwitch(reason: string) {
  return {
    'x-type': 'boolean_word',
    'x-ignored': reason,
    description: 'Accepted for Fluent Bit files; does nothing.',
  } as const;
}

function ignoredText(reason: string) {
  return {
    type: 'string',
    'x-ignored': reason,
    description: 'Accepted for Fluent Bit files; does nothing.',
  } as const;
}

/** The options after defaults and units: durations in ms, sizes in bytes. */
export interface TailOptions extends PatternOptions {
  readonly key: string;
  readonly read_from_head: boolean;
  readonly read_newly_discovered_files_from_head: boolean;
  readonly refresh_interval: number;
  readonly rotate_wait: number;
  readonly path_key?: string;
  readonly offset_key?: string;
  readonly ignore_older: number;
  readonly ignore_active_older_files: boolean;
  readonly buffer_max_size?: number;
  readonly long_lines?: 'split' | 'truncate' | 'skip';
  readonly skip_long_lines: boolean;
  readonly truncate_long_lines: boolean;
  readonly skip_empty_lines: boolean;
  readonly unfinished_line_timeout: number;
  readonly exit_on_eof: boolean;
  readonly open_files_max: number;
  readonly parser?: string;
  readonly tag_regex?: string;
  readonly 'multiline.parser'?: readonly string[];
  readonly multiline_buffer_limit: number;
  readonly multiline: boolean;
  readonly parser_firstline?: string;
  readonly multiline_flush: number;
  readonly docker_mode: boolean;
  readonly docker_mode_flush: number;
  readonly 'unicode.encoding'?: string;
  readonly 'generic.encoding'?: string;
}
