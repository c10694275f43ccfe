import type { MultilineDefinition } from '../../../core/sdk/index.ts';

/** Milliseconds after which an unfinished record is passed on. */
export const builtInFlushMs = 4000;

type Rule = readonly [state: string, regex: string, nextState: string];

/** Stack traces of common languages as state machines: a record begins with a line that announces
 *  an error and takes in the frames that follow. */
const machines: Readonly<Record<string, readonly Rule[]>> = {
  // at frames, nested causes and suppressed exceptions; also .NET and V8, whose traces look alike.
  java: [
    [
      'start_state, error',
      '.(?:Exception|Error|Throwable|V8 errors stack trace)(?:[:\\r\\n]|$)',
      'after_error',
    ],
    ['after_error', '^[\\t ]*nested exception is:[\\t ]*', 'error'],
    ['after_error', '^[\\r\\n]*$', 'after_error'],
    ['after_error, frame', '^[\\t ]+(?:eval )?at ', 'frame'],
    ['after_error, frame', '^[\\t ]+--- End of inner exception stack trace ---$', 'frame'],
    [
      'after_error, frame',
      '^--- End of stack trace from previous location where exception was thrown ---$',
      'frame',
    ],
    ['after_error, frame', '^[\\t ]*(?:Caused by|Suppressed):', 'after_error'],
    ['after_error, frame', '^[\\t ]*\\.\\.\\. \\d+ (?:more|common frames omitted)', 'frame'],
  ],
  // Traceback header, pairs of File and code lines, then the error itself.
  python: [
    ['start_state', '^Traceback \\(most recent call last\\):$', 'frame'],
    ['frame', '^[\\t ]+File ', 'code'],
    ['code', '[^\\t ]', 'frame'],
    ['frame', '^[\\t ]+[~^]+[\\t ]*$', 'frame'],
    ['frame', '^(?:[^\\s.():]+\\.)*[^\\s.():]+:', 'done'],
  ],
  // panic, blank line, goroutine header, then pairs of function and position lines.
  go: [
    ['start_state', '\\bpanic: ', 'after_panic'],
    ['start_state', 'http: panic serving', 'goroutine'],
    ['after_panic', '^\\[signal ', 'after_signal'],
    ['after_panic, after_signal, function', '^$', 'goroutine'],
    ['goroutine', '^goroutine \\d+ \\[[^\\]]+\\]:$', 'function'],
    ['function', '^(?:(?:[^\\s.:]+\\.)*[^\\s.():]+\\(|created by )', 'position'],
    ['position', '^\\s', 'function'],
  ],
  ruby: [
    ['start_state', '^.+:\\d+:in\\s+.*', 'after_error'],
    ['after_error, frame', '^\\s+from\\s+.*:\\d+:in\\s+.*', 'frame'],
  ],
};

/** Names of all built-in multiline parsers. */
export const builtInMultilineNames: readonly string[] = ['docker', 'cri', ...Object.keys(machines)];

/** A built-in state machine by name (`java`, `python`, `go`, `ruby`), or undefined. */
export function builtInDefinition(name: string): MultilineDefinition | undefined {
  const rules = Object.hasOwn(machines, name) ? machines[name] : undefined;
  if (rules === undefined) return undefined;
  return {
    name,
    type: 'regex',
    flushTimeoutMs: builtInFlushMs,
    rules: rules.map(([state, regex, nextState]) => ({ state, regex, nextState })),
  };
}
