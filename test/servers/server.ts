/** Receives one line of progress, without a newline. */
export type Log = (line: string) => void;

/** Whether this machine can run a server, and if not, the one-line reason. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

export interface StartOptions {
  /** The port to listen on; a free one by default. */
  readonly port?: number;
  /** Where progress of a first-time installation goes; nowhere by default. */
  readonly log?: Log;
}

/** A server process that this process started and alone may stop.
 *  It ends with this process, however this process ends. */
export interface RunningServer {
  readonly name: string;
  /** Base URL without a trailing slash, on 127.0.0.1. */
  readonly url: string;
  readonly port: number;
  /** Leader of the server's own process group; changes with `restart`. */
  readonly pid: number;
  readonly username?: string;
  readonly password?: string;
  /** PEM file of the certificate to trust, when `url` is https. */
  readonly caPath?: string;
  /** Holds the configuration, the data and `output.log`; removed by `stop`. */
  readonly dataDir: string;
  /** Ends the server in its own way, by force after a grace, and removes `dataDir`. */
  stop(): Promise<void>;
  /** Signals the whole process group, waits for its end and keeps `dataDir`. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts again after `kill`, with the same port and data; resolves when it answers. */
  restart(): Promise<void>;
  /** Freezes every process of the server: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Resolves when the server process has ended. */
  ended(): Promise<void>;
}

/** How one kind of server is checked for, installed and started. */
export interface ServerDescriptor<Options extends StartOptions = StartOptions> {
  readonly name: string;
  readonly version: string;
  /** The tools it takes, for people to read. */
  readonly needs: readonly string[];
  /** Looks at tools and platform only; what is installed already needs fewer tools. */
  canRun(): Promise<Verdict>;
  /** The directory it is or will be installed in. */
  directory(): Promise<string>;
  installed(): Promise<boolean>;
  /** Installs unless that is done; another process installing is waited for. Returns the directory. */
  install(log: Log): Promise<string>;
  /** Installs if need be, starts, and resolves when the server answers requests. */
  start(options?: Options): Promise<RunningServer>;
}
