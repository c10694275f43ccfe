import { messageOf } from '../../../core/sdk/index.ts';
import { type FromHelper, HelperError, type ToHelper } from './helper_messages.ts';

/** Answers what the agent asks this process, several requests at a time. `isCancelled` tells work
 *  between two calls that nobody waits for it any more. Called by the module that a helper process
 *  is started with; the process ends with its agent. */
export function serveRequests(
  answer: (body: unknown, isCancelled: () => boolean) => Promise<unknown>,
): void {
  const cancelled = new Set<number>();
  const running = new Set<number>();
  process.on('message', (message: ToHelper) => {
    const { id } = message;
    if (message.kind === 'cancel') {
      if (running.has(id)) cancelled.add(id);
      return;
    }
    running.add(id);
    answer(message.body, () => cancelled.has(id))
      .then(
        (result): FromHelper => ({ id, result }),
        (error: unknown): FromHelper => ({
          id,
          error: {
            message: messageOf(error),
            code: error instanceof HelperError ? error.code : undefined,
          },
        }),
      )
      .then((reply) => {
        running.delete(id);
        cancelled.delete(id);
        if (process.connected) process.send?.(reply);
      });
  });
  // Not exit(): that waits for a call which may never return.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}
