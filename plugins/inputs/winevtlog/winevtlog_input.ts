import {
  type BatchEmitter,
  type Input,
  type InputContext,
  type OptionProblem,
  SluiceError,
} from '../../../core/sdk/index.ts';
import { ChannelReader, type ReaderTarget } from './channel_reader.ts';
import type { WinevtlogOptions } from './config.ts';
import type { EventLog } from './event_log.ts';
import { openEventLog } from './koffi_event_log.ts';
import { winevtlogMetrics } from './winevtlog_metrics.ts';

/** Reads channels of the Event Log, each with a subscription, a source and a checkpoint of its own:
 *  one that fails leaves the others alone. */
export class WinevtlogInput implements Input {
  private readonly options: WinevtlogOptions;
  private readonly context: InputContext;
  private readonly openLog: (() => Promise<EventLog>) | undefined;
  private readonly problems = new Map<string, string>();

  /** `openLog` stands in for Windows' Event Log. */
  constructor(options: WinevtlogOptions, context: InputContext, openLog?: () => Promise<EventLog>) {
    this.options = options;
    this.context = context;
    this.openLog = openLog;
  }

  async open(): Promise<void> {
    if (this.openLog !== undefined || process.platform === 'win32') return;
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      'The input winevtlog needs Windows: its Event Log is read there. Files of a log (.evtx) are read by the input evtx, on any system.',
    );
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const { options, context } = this;
    const metrics = winevtlogMetrics(context.metrics);
    const openLog = this.openLog ?? ((): Promise<EventLog> => openEventLog(logOptions(options)));
    const readers = targetsOf(options, context.tag).map((target) => {
      const setProblem = (problem: string | undefined): void => this.say(target.name, problem);
      return new ChannelReader(target, { options, context, metrics, openLog, setProblem });
    });
    await Promise.all(readers.map((reader) => reader.run(emitter, signal)));
  }

  private say(channel: string, problem: string | undefined): void {
    if (this.problems.get(channel) === problem) return;
    if (problem === undefined) this.problems.delete(channel);
    else this.problems.set(channel, problem);
    const all = [...this.problems.values()].join('; ');
    this.context.setHealth(all === '' ? undefined : all);
  }
}

/** What the schema cannot say. */
export function checkOptions(options: WinevtlogOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const isList = isQueryList(options.event_query);
  if (!isList && options.channels.length === 0) {
    problems.push({
      path: ['channels'],
      message: 'Name the channels, or give a QueryList as event_query.',
    });
  }
  if (isList && options.channels.length > 0) {
    problems.push({
      path: ['channels'],
      message: 'A QueryList names its channels itself: leave `channels` out.',
    });
  }
  if (options.render_event_as_text && options.render_event_as_xml) {
    problems.push({
      path: ['render_event_as_text'],
      message: 'A text has no `Xml` beside it: leave `render_event_as_xml` out.',
    });
  }
  if (options['remote.server'] === undefined && options['remote.username'] !== undefined) {
    problems.push({
      path: ['remote.username'],
      message: 'It has no effect without remote.server.',
    });
  }
  return problems;
}

/** Subscriptions: one a channel, or one for a QueryList. In the tag, `*` is the channel. */
function targetsOf(options: WinevtlogOptions, tag: string): ReaderTarget[] {
  const query = options.event_query;
  if (isQueryList(query)) {
    const name = 'query';
    return [{ name, channel: undefined, query, tag: tag.replace('*', name), isOrdered: false }];
  }
  return [...new Set(options.channels)].map((channel) => ({
    name: channel,
    channel,
    query,
    tag: tag.replace('*', channel.replaceAll(/[^A-Za-z0-9._-]+/g, '_')),
    // Forwarded events have the record ids of the hosts they come from.
    isOrdered: channel.toLowerCase() !== 'forwardedevents',
  }));
}

function isQueryList(query: string): boolean {
  return query.trimStart().startsWith('<');
}

function logOptions(options: WinevtlogOptions) {
  const server = options['remote.server'];
  const password = options['remote.password']?.reveal();
  return {
    renderMessages: options.render_messages,
    publishersMax: options.publishers_max,
    ...(server === undefined
      ? {}
      : {
          remote: {
            server,
            domain: options['remote.domain'],
            username: options['remote.username'],
            password,
          },
        }),
  };
}
