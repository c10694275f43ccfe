import pino, { type DestinationStream } from 'pino';
import type { Counter, Log } from '../sdk/contracts.ts';
import type { Clock } from '../time/clock.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'off';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly destination: DestinationStream;
  readonly clock: Clock;
  readonly suppressed: Counter;
}

/** Lines of the same component, text and subject within this time are said once and counted. */
const repeatWindowMs = 10_000;
const repeatsKept = 512;
/** Fields that say what a line is about: that one file cannot be read says nothing of another. */
const subjects = ['path', 'file', 'channel', 'collector', 'counter', 'query', 'directory'] as const;

interface Repeats {
  readonly untilMs: number;
  count: number;
}

/** Makes the agent's log. A message that repeats is written at most once every 10 seconds per
 *  component and thing that it is about, with the number that was left out. Of more than 512 things
 *  in that time, the rest count as one. */
export function createLog(options: LogOptions): (component: string, level?: LogLevel) => Log {
  const stream =
    options.format === 'pretty' ? prettyStream(options.destination) : options.destination;
  const base = pino(
    {
      level: pinoLevel(options.level),
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return (component, level) => {
    const logger = base.child({ component }, level ? { level: pinoLevel(level) } : {});
    const repeats = new Map<string, Repeats>();
    const write =
      (kind: 'error' | 'warn' | 'info' | 'debug') =>
      (fields: Record<string, unknown>, message: string): void => {
        if (!logger.isLevelEnabled(kind)) return;
        const now = options.clock.monotonicMs();
        if (repeats.size >= repeatsKept) dropOver(repeats, now);
        const text = kind + message;
        const about = text + subjectOf(fields);
        const key = repeats.size < repeatsKept || repeats.has(about) ? about : text;
        const last = repeats.get(key);
        if (last !== undefined && now < last.untilMs) {
          last.count++;
          options.suppressed.value++;
          return;
        }
        // Texts that are all different are bounded as well.
        if (repeats.size >= 2 * repeatsKept) repeats.clear();
        repeats.set(key, { untilMs: now + repeatWindowMs, count: 0 });
        const repeated =
          last !== undefined && last.count > 0 ? { repeated: last.count } : undefined;
        logger[kind]({ ...fields, ...repeated }, message);
      };
    return {
      error: write('error'),
      warn: write('warn'),
      info: write('info'),
      debug: write('debug'),
    };
  };
}

function subjectOf(fields: Readonly<Record<string, unknown>>): string {
  let subject = '';
  for (const name of subjects) {
    const value = fields[name];
    if (typeof value === 'string') subject += `\0${value.slice(-256)}`;
  }
  return subject;
}

/** Those that would be written again. What was left out of them is in the counter only. */
function dropOver(repeats: Map<string, Repeats>, nowMs: number): void {
  for (const [key, { untilMs }] of repeats) if (untilMs <= nowMs) repeats.delete(key);
}

function pinoLevel(level: LogLevel): string {
  return level === 'off' ? 'silent' : level;
}

/** One readable line an entry: time, level, component, message, fields. */
function prettyStream(destination: DestinationStream): DestinationStream {
  return {
    write(line: string) {
      try {
        // The line is pino's own JSON.
        const entry = JSON.parse(line) as Record<string, unknown>;
        const { time, level, component, msg, ...fields } = entry;
        const rest = Object.entries(fields)
          .map(
            ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
          )
          .join(' ');
        const clock = String(time).slice(11, 19);
        destination.write(
          `${clock} ${String(level).padEnd(5)} ${String(component)}: ${String(msg)}${rest && `  ${rest}`}\n`,
        );
      } catch {
        destination.write(line);
      }
    },
  };
}

/** A log that says nothing: for tests and for commands without one. */
export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {} };
