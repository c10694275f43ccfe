import { type ChildProcess, spawn } from 'node:child_process';

export interface CommandRun {
  /** The program and its arguments; no shell sees them. */
  readonly command: readonly string[];
  /** Of standard output and of standard error, each; what is beyond is thrown away. */
  readonly outputBytesMax: number;
  /** Kills the whole process group when it aborts. */
  readonly signal: AbortSignal;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Instead of keeping standard output: called with each piece, up to the limit. The program
   *  waits while the promise is not resolved. */
  readonly onOutput?: (piece: Buffer) => Promise<void>;
}

export interface CommandResult {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly endedBy: NodeJS.Signals | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Bytes beyond the limit, of both. */
  readonly droppedBytes: number;
}

/** Time between asking a process group to end and killing it. */
const graceMs = 2000;

/** Runs a program to its end, in a process group of its own, without a shell and without standard
 *  input. Resolves when the program has ended, also when its children live on and keep the pipes
 *  open: they are killed with the group. Errors: those of starting it, such as ENOENT. */
export async function runCommand(run: CommandRun): Promise<CommandResult> {
  const [program, ...args] = run.command;
  if (run.signal.aborted) throw new Error(`${program}: given up before its start`);
  const child = spawn(program!, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    cwd: run.cwd,
    env: run.env,
    windowsHide: true,
  });
  const killer = new GroupKiller(child);
  const onAbort = (): void => killer.end();
  run.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const stdout = new Capture(run.outputBytesMax, run.onOutput);
    const stderr = new Capture(run.outputBytesMax);
    const reading = Promise.all([stdout.read(child.stdout!), stderr.read(child.stderr!)]);
    // Where it does not even start, that is the error.
    reading.catch(() => undefined);
    const [exitCode, endedBy] = await ended(child);
    // What it left behind in its group must not keep the pipes.
    killer.killNow();
    await reading;
    return {
      exitCode: exitCode ?? undefined,
      endedBy: endedBy ?? undefined,
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      droppedBytes: stdout.droppedBytes + stderr.droppedBytes,
    };
  } finally {
    run.signal.removeEventListener('abort', onAbort);
    killer.stop();
  }
}

function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve([code, signal]));
  });
}

/** Ends a process with all that it started in its group. */
export class GroupKiller {
  private readonly child: ChildProcess;
  private timer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess) {
    this.child = child;
  }

  /** Asks, and kills after a grace. */
  end(): void {
    this.send('SIGTERM');
    this.timer ??= setTimeout(() => this.send('SIGKILL'), graceMs);
  }

  killNow(): void {
    this.send('SIGKILL');
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private send(signal: NodeJS.Signals): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      // A negative number is a group (kill(2)); Windows knows the process alone.
      if (process.platform === 'win32') this.child.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // It is gone already.
    }
  }
}

/** Takes a stream up to a limit, and reads the rest away. */
class Capture {
  droppedBytes = 0;
  private readonly bytesMax: number;
  private readonly onPiece: ((piece: Buffer) => Promise<void>) | undefined;
  private readonly pieces: Buffer[] = [];
  private taken = 0;

  constructor(bytesMax: number, onPiece?: (piece: Buffer) => Promise<void>) {
    this.bytesMax = bytesMax;
    this.onPiece = onPiece;
  }

  async read(stream: NodeJS.ReadableStream): Promise<void> {
    try {
      for await (const data of stream) {
        // No encoding is set: pieces are buffers.
        const piece = data as Buffer;
        const kept = piece.subarray(0, this.bytesMax - this.taken);
        this.droppedBytes += piece.length - kept.length;
        this.taken += kept.length;
        if (kept.length === 0) continue;
        if (this.onPiece === undefined) this.pieces.push(kept);
        else await this.onPiece(kept);
      }
    } catch (error) {
      // A pipe that breaks ends with its program; what a caller throws is its own.
      if (this.onPiece !== undefined) throw error;
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}
