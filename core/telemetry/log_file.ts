import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';

/** Where the agent's log goes when its file takes nothing. */
export interface LogSink {
  write(line: string): void;
}

/** How often it is looked whether the file still has its name: log rotation renames it. */
const lookEveryMs = 1000;

/** The file that the agent logs to. Lines are few, so each is written before the call returns. What
 *  cannot be written, on a full disk for one, goes to `fallback`; the file is tried again each time. */
export class LogFile implements LogSink {
  private readonly path: string;
  private readonly fallback: LogSink;
  private readonly nowMs: () => number;
  private descriptor: number;
  private lookedAtMs = 0;

  /** Throws SLUICE_OPTION_INVALID when the file cannot be opened. */
  constructor(path: string, fallback: LogSink, nowMs: () => number) {
    this.path = path;
    this.fallback = fallback;
    this.nowMs = nowMs;
    try {
      this.descriptor = openLogFile(path);
    } catch (cause) {
      throw new SluiceError(
        'SLUICE_OPTION_INVALID',
        `The file of service.log_file cannot be written (${messageOf(cause)}): check the path and its permissions.`,
        { cause },
      );
    }
  }

  write(line: string): void {
    try {
      this.follow();
      writeSync(this.descriptor, line);
    } catch {
      this.fallback.write(line);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** Opens the path anew when another file, or none, has the name by now. */
  private follow(): void {
    const now = this.nowMs();
    if (now - this.lookedAtMs < lookEveryMs) return;
    this.lookedAtMs = now;
    const named = statSync(this.path, { throwIfNoEntry: false });
    if (named?.ino === fstatSync(this.descriptor).ino) return;
    const next = openLogFile(this.path);
    closeSync(this.descriptor);
    this.descriptor = next;
  }
}

function openLogFile(path: string): number {
  return openSync(path, 'a', 0o600);
}
