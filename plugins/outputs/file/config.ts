import { timeOptions } from '../../shared/json_lines/json_lines.ts';

export const schema = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      default: '.',
      description:
        'Directory of the files; it is made when missing. Relative to the pipeline file.',
    },
    file: {
      type: 'string',
      minLength: 1,
      'x-type': 'template',
      default: '$TAG',
      description:
        'Name of the file below `path`; may hold `%{field}`, `%{+YYYY-MM-dd}` and `$TAG`. What records bring cannot leave `path`.',
    },
    format: {
      enum: ['json_lines', 'plain'],
      default: 'json_lines',
      description:
        "Form of a file: one JSON object a line. `plain` is Fluent Bit's name for the same.",
    },
    mkdir: {
      type: 'boolean',
      default: true,
      description: 'Whether missing directories are made.',
    },
    rotate_size: {
      'x-type': 'size',
      default: 0,
      description: 'Size at which a file is renamed to `NAME.1` (and so on); 0 never renames.',
    },
    rotate_keep: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 5,
      description: 'Renamed files that are kept.',
    },
    sync: {
      type: 'boolean',
      default: true,
      description: 'Whether records count as delivered only when the disk has them (fdatasync).',
    },
    files_max: {
      type: 'integer',
      minimum: 1,
      maximum: 4096,
      default: 64,
      description: 'Most files open at once; the one unused for longest is closed.',
    },
    ...timeOptions,
  },
} as const;

export interface FileOptions {
  readonly path: string;
  readonly file: string;
  readonly mkdir: boolean;
  readonly rotate_size: number;
  readonly rotate_keep: number;
  readonly sync: boolean;
  readonly files_max: number;
  readonly json_date_key?: string;
  readonly json_date_format: 'iso8601' | 'epoch' | 'epoch_ms' | 'double';
}
