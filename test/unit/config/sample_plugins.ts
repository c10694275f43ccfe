import type { JsonSchema } from '../../../core/config/json_schema.ts';
import { type LoadOptions, type LoadResult, loadConfig } from '../../../core/config/load.ts';
import type { PluginSchema } from '../../../core/config/schema.ts';

const tailSchema = {
  type: 'object',
  required: ['path'],
  properties: {
    path: { 'x-type': 'comma_list', minItems: 1, description: 'Files to read.' },
    exclude_path: { 'x-type': 'comma_list', description: 'Files to leave out.' },
    key: { type: 'string', default: 'log', description: 'Field of the line.' },
    read_from_head: { type: 'boolean', default: false, description: 'Whether to read old lines.' },
    refresh_interval: { 'x-type': 'duration', 'x-minimum': 10, default: '60s' },
    buffer_max_size: { 'x-type': 'size', default: '32KiB' },
    parser: { type: 'string', 'x-ref': 'parser' },
    'multiline.parser': { 'x-type': 'comma_list', 'x-ref': 'multiline_parser' },
    tag_regex: { type: 'string', 'x-type': 'regex' },
    lines_max: { type: 'integer', minimum: 1, maximum: 10 },
  },
} as const satisfies JsonSchema;

const mutateSchema = {
  type: 'object',
  properties: {
    rename: { type: 'object', additionalProperties: { type: 'string', 'x-type': 'field' } },
    remove: { type: 'array', items: { type: 'string', 'x-type': 'field' } },
    set: { type: 'object', additionalProperties: true },
    operation: { enum: ['nest', 'lift'] },
    rules: {
      type: 'array',
      items: {
        type: 'object',
        required: ['if'],
        properties: { if: { 'x-type': 'expression' }, tag: { type: 'string' } },
      },
    },
  },
} as const satisfies JsonSchema;

const grepSchema = {
  type: 'object',
  properties: {
    regex: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    level: { anyOf: [{ enum: ['low', 'high'] }, { type: 'integer' }] },
  },
} as const satisfies JsonSchema;

const dateSchema = {
  type: 'object',
  properties: {
    formats: { type: 'array', items: { type: 'string', 'x-type': 'date_format' } },
    timezone: { type: 'string', 'x-type': 'time_zone' },
  },
} as const satisfies JsonSchema;

const esSchema = {
  type: 'object',
  properties: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 9200 },
    http_passwd: { 'x-type': 'secret' },
    index: { type: 'string', 'x-type': 'template', default: 'logs' },
    data_stream: { type: 'string' },
    header: { type: 'array', items: { type: 'string' } },
    compress: { enum: ['gzip', 'none'], default: 'none' },
  },
} as const satisfies JsonSchema;

/** A few plugins with every kind of option. */
export const samplePlugins: readonly PluginSchema[] = [
  { kind: 'input', name: 'tail', summary: 'Reads files.', schema: tailSchema },
  { kind: 'input', name: 'stdin', summary: 'Reads standard input.', schema: { type: 'object' } },
  { kind: 'filter', name: 'mutate', summary: 'Changes fields.', schema: mutateSchema },
  { kind: 'filter', name: 'grep', summary: 'Keeps matching records.', schema: grepSchema },
  { kind: 'filter', name: 'date', summary: 'Reads times.', schema: dateSchema },
  {
    kind: 'output',
    name: 'elasticsearch',
    aliases: ['es'],
    summary: 'Sends to Elasticsearch.',
    schema: esSchema,
    check: (options) =>
      options['data_stream'] === undefined || options['header'] === undefined
        ? []
        : [{ path: 'header[0]', message: 'A data stream takes no header.' }],
  },
  { kind: 'output', name: 'null', summary: 'Discards records.', schema: { type: 'object' } },
  {
    kind: 'parser',
    name: 'regex',
    summary: 'Parses with a regular expression.',
    schema: {
      type: 'object',
      required: ['regex'],
      properties: { regex: { type: 'string', 'x-type': 'regex' } },
    },
  },
];

export type FileTexts = Readonly<Record<string, string>>;

/** A path of the test's files, as Windows would write it too: with a drive and backslashes. */
function below(path: string, cwd: string): string {
  return path
    .replaceAll('\\', '/')
    .replace(/^[A-Za-z]:/, '')
    .replace(`${cwd}/`, '');
}

/** Loads files that exist only in the test; `main.yaml` unless `files` says otherwise. */
export function loadTexts(texts: FileTexts, options: Partial<LoadOptions> = {}): LoadResult {
  const cwd = '/etc/agent';
  return loadConfig({
    files: ['main.yaml'],
    plugins: samplePlugins,
    cwd,
    env: {},
    hostname: 'host-1',
    builtinParsers: ['json', 'apache2'],
    builtinMultilineParsers: ['java', 'cri'],
    checkRegex: (source) => (source.includes('(?') ? 'a group is not closed' : undefined),
    checkDateFormat: (source) => (source.includes('%Q') ? '%Q has no meaning' : undefined),
    access: {
      readFile(path) {
        const text = texts[below(path, cwd)];
        if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
        return text;
      },
      listDirectory(path) {
        const prefix = `${below(path, cwd)}/`;
        const found = Object.keys(texts).filter((name) => name.startsWith(prefix));
        const names = found.map((name) => name.slice(prefix.length).replace(/\/.*/, '/'));
        return [...new Set(names)];
      },
      fileMode: () => 0o600,
    },
    ...options,
  });
}

/** Loads one file; `places` are the diagnostics as `file:line:column: severity: message`. */
export function loadText(text: string, options: Partial<LoadOptions> = {}) {
  const result = loadTexts({ 'main.yaml': text }, options);
  return { ...result, places: placesOf(result) };
}

export function placesOf({ diagnostics }: Pick<LoadResult, 'diagnostics'>): string[] {
  return diagnostics.map(
    ({ file, line, column, severity, message }) =>
      `${file}:${line}:${column}: ${severity}: ${message}`,
  );
}
