import { type Clock, pause } from '../time/clock.ts';
import { stopController } from '../time/stop_controller.ts';

/** What is written with shorter pauses than this is still being written. */
const quietMs = 500;

/** What is asked of an input here. */
export interface ReadingStage {
  readonly hasFinished: boolean;
  /** When it emitted records last. */
  readonly emittedMs: number;
  caughtUp(limit: AbortSignal): Promise<void>;
  finished(): Promise<void>;
}

/** Lets inputs read on that can say when they have all, until their sources are quiet: programs that
 *  are told to stop together with the agent still write. Ends after `limitMs`, or with the signal. */
export async function readOn(
  stages: readonly ReadingStage[],
  options: { readonly clock: Clock; readonly limitMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, limitMs, signal } = options;
  const limit = stopController();
  const end = () => limit.abort();
  const cancel = clock.after(limitMs, end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    await Promise.all(stages.map((stage) => quiet(stage, clock, limit.signal)));
  } finally {
    cancel();
    signal.removeEventListener('abort', end);
    // An input that has ended is not asked any more.
    end();
  }
}

async function quiet(stage: ReadingStage, clock: Clock, limit: AbortSignal): Promise<void> {
  while (!limit.aborted && !stage.hasFinished) {
    await Promise.race([stage.caughtUp(limit), stage.finished()]);
    const restMs = stage.emittedMs + quietMs - clock.monotonicMs();
    if (restMs <= 0) return;
    await pause(clock, restMs, limit);
  }
}
