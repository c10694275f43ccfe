export const schema = {
  type: 'object',
  properties: {
    code: {
      type: 'string',
      minLength: 1,
      description:
        'The function, as an expression (`(event, tag) => { … }`) or as the text of a module that declares it.',
    },
    file: {
      type: 'string',
      minLength: 1,
      description: 'File with the function, from the directory of the pipeline file.',
    },
    call: {
      type: 'string',
      pattern: '^[A-Za-z_$][\\w$]*$',
      description:
        'Name of the function to call; when absent, the default export, or the function named `filter`.',
    },
    timeout_millis: {
      type: 'integer',
      minimum: 1,
      maximum: 60_000,
      default: 20,
      description: 'Time that one record may take, in milliseconds.',
    },
    tag_on_failure: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: ['_scriptfailure'],
      description:
        'Marks put into `tags` of records on which the function threw; they stay as they were.',
    },
    tag_on_timeout: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: ['_scripttimeout'],
      description:
        'Marks put into `tags` of records on which the function took too long; they stay as they were.',
    },
  },
} as const;

export interface Options {
  readonly code?: string;
  readonly file?: string;
  readonly call?: string;
  readonly timeout_millis?: number;
  readonly tag_on_failure?: readonly string[];
  readonly tag_on_timeout?: readonly string[];
}
