import { setMaxListeners } from 'node:events';

/** An AbortController whose signal any number of places may listen to, as those of an input with many
 *  channels or of an agent with many outputs do: Node takes more than ten for a leak, and says so in the
 *  middle of the log. */
export function stopController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
