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

/** Lines of the same component and text within this time are said once and counted. */
const repeatWindowMs = 10_000;
const repeatsKept = 512;

/** Makes the agent's log. A message that repeats is written at most once every 10 seconds per
 *  component, with the number that was left out. */
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
    const repeats = new Map<string, { untilMs: number; count: number }>();
    const write =
      (kind: 'error' | 'warn' | 'info' | 'debug') =>
      (fields: Record<string, unknown>, message: string): void => {
        if (!logger.isLevelEnabled(kind)) return;
        const now = options.clock.monotonicMs();
        const last = repeats.get(kind + message);
        if (last !== undefined && now < last.untilMs) {
          last.count++;
          options.suppressed.value++;
          return;
        }
        if (repeats.size >= repeatsKept) repeats.clear();
        repeats.set(kind + message, { untilMs: now + repeatWindowMs, count: 0 });
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
