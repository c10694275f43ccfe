import type { Secret } from '../../../core/sdk/index.ts';

const ignored = (reason: string) =>
  ({ type: ['string', 'number', 'boolean'], 'x-ignored': reason }) as const;

export const schema = {
  type: 'object',
  properties: {
    channels: {
      'x-type': 'comma_list',
      default: [],
      description:
        'Channels to read, separated by commas, such as `System, Security, Microsoft-Windows-Sysmon/Operational`. Needed unless `event_query` is a QueryList.',
    },
    event_query: {
      type: 'string',
      minLength: 1,
      default: '*',
      description:
        'Which events are read: an XPath expression such as `*[System[Level<=3]]`, for each channel, or a whole `<QueryList>`, which names its channels itself.',
    },
    read_existing_events: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether the first start reads the events that are there already. Later starts go on where the last one stopped.',
    },
    ignore_missing_channels: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether a channel that is not there leaves the input ready in `/readyz`. Either way the other channels are read, and the channel as well once it appears.',
    },
    render_messages: {
      'x-type': 'boolean_word',
      default: true,
      description:
        'Whether records get `Message` and the names of task, opcode and keywords out of the publisher’s metadata.',
    },
    string_inserts: {
      'x-type': 'boolean_word',
      default: true,
      description: 'Whether records get `StringInserts`, the values of `EventData` in order.',
    },
    render_event_as_xml: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether records get `Xml`, the event’s whole XML. Not together with `render_event_as_text`.',
    },
    render_event_as_text: {
      'x-type': 'boolean_word',
      default: false,
      description:
        'Whether a record is one text, `render_event_text_key`, with a line `name=value` for each field of the system and, last, the message; `StringInserts` stands beside it when wanted.',
    },
    render_event_text_key: {
      type: 'string',
      minLength: 1,
      default: 'log',
      description: 'Field of that text.',
    },
    event_data_as_map: {
      'x-type': 'boolean_word',
      default: true,
      description:
        'Whether records get `EventData`, its values by name. The values alone are in `StringInserts`.',
    },
    batch_events: {
      type: 'integer',
      minimum: 1,
      maximum: 1024,
      default: 256,
      description:
        'Events asked for at once. It is halved by itself where a remote host refuses so many.',
    },
    poll_interval: {
      'x-type': 'duration',
      'x-minimum': 10,
      default: '200ms',
      description: 'Time between two looks whether Windows has announced new events.',
    },
    retry_interval: {
      'x-type': 'duration',
      'x-minimum': 10,
      default: '30s',
      description:
        'Longest time between two tries to subscribe again after an error; the first is after a sixtieth of it.',
    },
    publishers_max: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      default: 128,
      description: 'Publishers per channel whose metadata is kept open, those used last.',
    },
    'remote.server': {
      type: 'string',
      minLength: 1,
      description: 'Host whose Event Log is read; this one when absent.',
    },
    'remote.domain': { type: 'string', description: 'Domain of the account on the remote host.' },
    'remote.username': {
      type: 'string',
      description: 'Account on the remote host; the agent’s own when absent.',
    },
    'remote.password': { 'x-type': 'secret', description: 'Password of that account.' },
    db: {
      ...ignored('Bookmarks are kept below `storage.path`.'),
      description: 'Accepted for Fluent Bit files; bookmarks are kept with other positions.',
    },
    interval_sec: {
      'x-type': 'duration',
      description:
        'Fluent Bit’s name for `poll_interval`: seconds, to which `interval_nsec` is added.',
    },
    interval_nsec: {
      type: 'integer',
      minimum: 0,
      maximum: 999_999_999,
      description: 'Nanoseconds that are added to `interval_sec`.',
    },
    'reconnect.base_ms': {
      type: 'integer',
      minimum: 1,
      maximum: 86_400_000,
      description:
        'First wait before subscribing again after an error, in milliseconds; a sixtieth of the longest when absent.',
    },
    'reconnect.max_ms': {
      type: 'integer',
      minimum: 1,
      maximum: 86_400_000,
      description: 'Fluent Bit’s name for `retry_interval`, in milliseconds.',
    },
    'reconnect.multiplier': {
      type: 'number',
      minimum: 1,
      maximum: 100,
      default: 2,
      description: 'What the wait grows by from one try to the next.',
    },
    'reconnect.jitter_pct': {
      type: 'integer',
      minimum: 0,
      maximum: 100,
      default: 20,
      description: 'By how many percent, up or down, a wait is changed at random.',
    },
    'reconnect.max_retries': {
      ...ignored('A channel is tried again for ever: it would be silent otherwise.'),
      description: 'Accepted for Fluent Bit files; a channel is tried again for ever.',
    },
    read_limit_per_cycle: {
      ...ignored('The outputs set the pace, and `batch_events` what is read at once.'),
      description: 'Accepted for Fluent Bit files; the outputs set the pace.',
    },
    event_template_cache_size: {
      ...ignored('Names of `EventData` stand in the events themselves: no template is looked up.'),
      description: 'Accepted for Fluent Bit files; names stand in the events themselves.',
    },
    use_ansi: {
      ...ignored('Records are UTF-8 always.'),
      description: 'Accepted for Fluent Bit files; records are UTF-8.',
    },
  },
} as const;

/** Options after normalising: durations in ms. */
export interface WinevtlogOptions {
  readonly channels: readonly string[];
  readonly event_query: string;
  readonly read_existing_events: boolean;
  readonly ignore_missing_channels: boolean;
  readonly render_messages: boolean;
  readonly string_inserts: boolean;
  readonly render_event_as_xml: boolean;
  readonly render_event_as_text: boolean;
  readonly render_event_text_key: string;
  readonly event_data_as_map: boolean;
  readonly batch_events: number;
  readonly poll_interval: number;
  readonly retry_interval: number;
  readonly publishers_max: number;
  readonly interval_sec?: number;
  readonly interval_nsec?: number;
  readonly 'reconnect.base_ms'?: number;
  readonly 'reconnect.max_ms'?: number;
  readonly 'reconnect.multiplier': number;
  readonly 'reconnect.jitter_pct': number;
  readonly 'remote.server'?: string;
  readonly 'remote.domain'?: string;
  readonly 'remote.username'?: string;
  readonly 'remote.password'?: Secret;
}
