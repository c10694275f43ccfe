import { type LaneName, type LaneOptions, laneProperties } from '../../shared/collect/lanes.ts';

const argv = {
  type: 'array',
  items: { type: 'string' },
  minItems: 1,
  maxItems: 1000,
} as const;

const commandSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'command'],
  properties: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9_.-]{1,64}$',
      description: 'Name of the command in metrics and the log, and for `*` in the tag.',
    },
    command: { ...argv, description: 'The program and its arguments.' },
    interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      description: 'Time between two starts, in place of the input’s own.',
    },
    timeout: {
      'x-type': 'duration',
      'x-minimum': 1,
      description: 'How long a run may take, in place of the input’s own.',
    },
    priority: {
      enum: ['high', 'normal'],
      description: 'Lane that it runs in, in place of the input’s own.',
    },
  },
} as const;

export const schema = {
  type: 'object',
  properties: {
    command: {
      ...argv,
      description:
        'The program and its arguments, such as `[df, -P]`. No shell sees them: pipes, globs and variables are what they say, unless the program is a shell.',
    },
    commands: {
      type: 'array',
      items: commandSchema,
      maxItems: 200,
      default: [],
      description: 'Several commands in place of one; each runs apart from the others.',
    },
    interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      default: '10s',
      description:
        'Time between two starts, counted from the first; a run that takes longer skips starts.',
    },
    timeout: {
      'x-type': 'duration',
      'x-minimum': 1,
      description:
        'How long a run may take; when absent, what its lane allows. Then it ends with all that it started, and gives no records.',
    },
    priority: {
      enum: ['high', 'normal'],
      default: 'normal',
      description: 'Lane that commands run in; those of one lane never wait for the other’s.',
    },
    ...laneProperties,
    oneshot: {
      type: 'boolean',
      default: false,
      description: 'Whether each command runs once only; the input then ends.',
    },
    format: {
      enum: ['lines', 'json', 'whole'],
      default: 'lines',
      description:
        'Records of the output: one a line, one for each JSON object (an object, an array of objects, or an object a line), or one for all of it.',
    },
    key: {
      type: 'string',
      minLength: 1,
      default: 'exec',
      description: 'Field that a line, or the whole output, is put under.',
    },
    output_bytes_max: {
      'x-type': 'size',
      'x-minimum': 1,
      'x-maximum': 268_435_456,
      default: '1M',
      description:
        'Most bytes of standard output, and of standard error; what is beyond is read, thrown away and counted.',
    },
    working_directory: {
      type: 'string',
      minLength: 1,
      description: 'Where it runs; relative to the pipeline file. The agent’s own when absent.',
    },
    environment: {
      type: 'object',
      additionalProperties: { type: 'string' },
      maxProperties: 1000,
      default: {},
      description: 'Variables that are added to the agent’s environment.',
    },
  },
} as const;

export interface CommandOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly interval?: number;
  readonly timeout?: number;
  readonly priority?: LaneName;
}

/** Options after normalising: times in milliseconds, sizes in bytes. */
export interface ExecOptions extends LaneOptions {
  readonly command?: readonly string[];
  readonly commands: readonly CommandOptions[];
  readonly interval: number;
  readonly timeout?: number;
  readonly priority: LaneName;
  readonly oneshot: boolean;
  readonly format: 'lines' | 'json' | 'whole';
  readonly key: string;
  readonly output_bytes_max: number;
  readonly working_directory?: string;
  readonly environment: Readonly<Record<string, string>>;
}
