import { type EventSource, type Registration, registerEventSource } from './event_source.ts';
import { loadKoffi } from './load_koffi.ts';

/** EVENTLOG_ERROR_TYPE, EVENTLOG_WARNING_TYPE, EVENTLOG_INFORMATION_TYPE of winnt.h. */
export const eventType = { error: 1, warning: 2, information: 4 } as const;
export type EventType = (typeof eventType)[keyof typeof eventType];

export interface WindowsEvent {
  readonly type: EventType;
  readonly id: number;
  readonly text: string;
}

/** Where events are written. */
export interface EventWriter {
  /** Undefined when it was not asked for. */
  readonly registration: Registration | undefined;
  /** Writes one event; 0, or Windows' error code. */
  write(event: WindowsEvent): Promise<number>;
  close(): void;
}

export interface EventWriterOptions {
  readonly source: EventSource;
  readonly register: boolean;
  /** Another library than Windows' own. */
  readonly libraryPath?: string;
}

type Done = (error: Error | null, result: number) => void;

/** The functions of winbase.h that are called. */
interface ReportCalls {
  readonly register: (server: null, source: string) => bigint | null;
  readonly report: {
    async(
      log: bigint,
      type: number,
      category: number,
      id: number,
      user: null,
      strings: number,
      bytes: number,
      texts: readonly string[],
      data: null,
      done: Done,
    ): void;
  };
  readonly deregister: (log: bigint) => number;
  readonly lastError: () => number;
}

/** Opens the log of this host. Errors: SLUICE_DRIVER_MISSING, and Windows' own as an Error. */
export async function openEventWriter(options: EventWriterOptions): Promise<EventWriter> {
  const koffi = await loadKoffi();
  const library = koffi.load(options.libraryPath ?? 'advapi32.dll');
  const kernel = koffi.load('kernel32.dll');
  const text = 'const char16_t *';
  // koffi's types are what is declared here; TypeScript cannot know them.
  const calls = {
    register: library.func('__stdcall', 'RegisterEventSourceW', 'void *', [text, text]),
    report: library.func('__stdcall', 'ReportEventW', 'int', [
      ...['void *', 'uint16_t', 'uint16_t', 'uint32_t', 'void *', 'uint16_t', 'uint32_t'],
      ...['const char16_t **', 'void *'],
    ]),
    deregister: library.func('__stdcall', 'DeregisterEventSource', 'int', ['void *']),
    lastError: kernel.func('__stdcall', 'GetLastError', 'uint32_t', []),
  } as unknown as ReportCalls;
  const { source, register } = options;
  const registration = register ? registerEventSource(koffi, source) : undefined;
  return new KoffiEventWriter(calls, source.name, registration);
}

class KoffiEventWriter implements EventWriter {
  readonly registration: Registration | undefined;
  private readonly calls: ReportCalls;
  private readonly source: string;
  private log: bigint | undefined;

  constructor(calls: ReportCalls, source: string, registration: Registration | undefined) {
    this.calls = calls;
    this.source = source;
    this.registration = registration;
  }

  async write({ type, id, text }: WindowsEvent): Promise<number> {
    const { calls } = this;
    if (this.log === undefined) {
      const log = calls.register(null, this.source);
      if (log === null) return calls.lastError();
      this.log = log;
    }
    const log = this.log;
    // On another thread: the service that keeps the log may be slow.
    const code = await new Promise<number>((resolve, reject) => {
      calls.report.async(log, type, 0, id, null, 1, 0, [text], null, (error, isDone) => {
        const last = isDone ? 0 : calls.lastError();
        if (error) reject(error);
        else resolve(last);
      });
    });
    // The service may have restarted: the next try opens the log anew.
    if (code !== 0) this.close();
    return code;
  }

  close(): void {
    const { log } = this;
    this.log = undefined;
    if (log !== undefined) this.calls.deregister(log);
  }
}
