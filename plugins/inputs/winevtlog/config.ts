import type { Secret } from '../../../core/sdk/index.ts';

const ignored = (reason: string) => ({ type: ['string', 'number'], 'x-ignored': reason }) as const;
const reconnecting =
  'A channel is subscribed to again for ever; `retry_interval` is the longest wait.';

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
      description: 'Whether records get `Xml`, the event’s whole XML.',
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
      ...ignored('Windows announces events; `poll_interval` says how soon that is seen.'),
      description: 'Accepted for Fluent Bit files; see `poll_interval`.',
    },
    interval_nsec: {
      ...ignored('Windows announces events; `poll_interval` says how soon that is seen.'),
      description: 'Accepted for Fluent Bit files; see `poll_interval`.',
    },
    read_limit_per_cycle: {
      ...ignored('The outputs set the pace.'),
      description: 'Accepted for Fluent Bit files; the outputs set the pace.',
    },
    'reconnect.base_ms': {
      ...ignored(reconnecting),
      description: 'Accepted for Fluent Bit files; see `retry_interval`.',
    },
    'reconnect.max_ms': {
      ...ignored(reconnecting),
      description: 'Accepted for Fluent Bit files; see `retry_interval`.',
    },
    'reconnect.multiplier': {
      ...ignored(reconnecting),
      description: 'Accepted for Fluent Bit files; the delay doubles up to `retry_interval`.',
    },
    'reconnect.jitter_pct': {
      ...ignored(reconnecting),
      description: 'Accepted for Fluent Bit files; each channel waits by itself.',
    },
    'reconnect.max_retries': {
      ...ignored(reconnecting),
      description: 'Accepted for Fluent Bit files; a channel is tried again for ever.',
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
  readonly batch_events: number;
  readonly poll_interval: number;
  readonly retry_interval: number;
  readonly publishers_max: number;
  readonly 'remote.server'?: string;
  readonly 'remote.domain'?: string;
  readonly 'remote.username'?: string;
  readonly 'remote.password'?: Secret;
}
