export const schema = {
  type: 'object',
  properties: {
    command: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      maxItems: 1000,
      description:
        'The program and its arguments, such as `[df, -P]`. No shell sees them: pipes, globs and variables are what they say, unless the program is a shell.',
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
      default: '30s',
      description:
        'How long a run may take. Then it ends with all that it started, and gives no records.',
    },
    oneshot: {
      type: 'boolean',
      default: false,
      description: 'Whether it runs once only; the input then ends.',
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
  required: ['command'],
} as const;

/** Options after normalising: times in milliseconds, sizes in bytes. */
export interface ExecOptions {
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly oneshot: boolean;
  readonly format: 'lines' | 'json' | 'whole';
  readonly key: string;
  readonly output_bytes_max: number;
  readonly working_directory?: string;
  readonly environment: Readonly<Record<string, string>>;
}
