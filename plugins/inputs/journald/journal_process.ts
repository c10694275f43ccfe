import { spawn } from 'node:child_process';
import { GroupKiller } from '../../shared/child_process/run_command.ts';

const stderrBytesMax = 4096;

export interface JournalEnd {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  /** The end of what it said. */
  readonly stderr: string;
}

/** Runs `journalctl` and hands over what it writes; it waits while a piece is being worked on.
 *  Resolves when it has ended, after the signal soon. Errors: those of starting it, and of
 *  `onOutput`. */
export async function runJournalctl(
  command: readonly string[],
  signal: AbortSignal,
  onOutput: (piece: Buffer) => Promise<void>,
): Promise<JournalEnd> {
  const [program, ...args] = command;
  const child = spawn(program!, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    // Times and messages in one language.
    env: { ...process.env, LC_ALL: 'C' },
  });
  const killer = new GroupKiller(child);
  const onAbort = (): void => killer.end();
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrBytesMax);
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // Waited for below, behind the output.
  closed.catch(() => undefined);
  try {
    try {
      for await (const piece of child.stdout) {
        // No encoding is set: pieces are buffers.
        if (!signal.aborted) await onOutput(piece as Buffer);
      }
    } catch (error) {
      killer.killNow();
      throw error;
    }
    return { exitCode: (await closed) ?? undefined, stderr: stderr.trim() };
  } finally {
    signal.removeEventListener('abort', onAbort);
    killer.stop();
  }
}
