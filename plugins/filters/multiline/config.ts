export const schema = {
  type: 'object',
  properties: {
    'multiline.parser': {
      'x-type': 'comma_list',
      'x-ref': 'multiline_parser',
      description:
        'Multiline parsers that put records together: `java`, `python`, `go`, `ruby`, `docker`, `cri` or names defined under `multiline_parsers`; of several the first that fits a text takes it.',
    },
    'multiline.key_content': {
      type: 'string',
      minLength: 1,
      default: 'log',
      description:
        'Field with the text that the parsers look at. Records without it pass as they are.',
    },
    mode: {
      enum: ['parser', 'partial_message'],
      default: 'parser',
      description:
        'What says which records belong together: multiline parsers, or the fields `partial_message`, `partial_id` and `partial_last` that container runtimes add; those go from what is joined.',
    },
    flush_ms: {
      'x-type': 'duration',
      'x-unit': 'ms',
      default: 2000,
      description: 'Time after which an unfinished record goes on as it is.',
    },
    buffer: {
      type: 'boolean',
      default: true,
      description:
        'Whether records are joined across batches. Without it an unfinished record goes on at the end of its batch: right where inputs deliver whole records.',
    },
    emitter_mem_buf_limit: {
      'x-type': 'size',
      default: '10MB',
      description:
        'Most bytes of unfinished records that the filter holds for all sources together; beyond it they go on in pieces and are counted.',
    },
    emitter_name: {
      type: 'string',
      'x-ignored':
        'Joined records keep their place in the pipeline, without an input of their own.',
      description: 'Accepted for Fluent Bit files.',
    },
    'emitter_storage.type': {
      enum: ['memory', 'filesystem'],
      'x-ignored': 'What is held stays unacknowledged at its source, which is safer than a buffer.',
      description: 'Accepted for Fluent Bit files.',
    },
    debug_flush: {
      type: 'boolean',
      'x-ignored': 'Metrics count what is held and cut.',
      description: 'Accepted for Fluent Bit files.',
    },
  },
} as const;

/** Times in ms, sizes in bytes. */
export interface Options {
  readonly 'multiline.parser'?: readonly string[];
  readonly 'multiline.key_content': string;
  readonly mode: 'parser' | 'partial_message';
  readonly flush_ms: number;
  readonly buffer: boolean;
  readonly emitter_mem_buf_limit: number;
}
