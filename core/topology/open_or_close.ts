import type { Clock } from '../time/clock.ts';
/** Opens a plugin instance; one that cannot be opened leaves nothing behind. */
export async function openOrClose(instance: {
  open?(): Promise<void>;
  close?(): Promise<void>;
}): Promise<void> {
  try {
    await instance.open?.();
  } catch (error) {
    await instance.close?.().catch(() => undefined);
    throw error;
  }
}

/** Waits for work of a component that closes; throws when it takes longer than `ms`. */
export function withDeadline(
  clock: Clock,
  ms: number,
  work: Promise<unknown> | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new Error(`it did not close within ${ms} ms`)));
    Promise.resolve(work).then(
      () => {
        cancel();
        resolve();
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}
