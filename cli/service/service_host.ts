/** How a service is, as its manager says. */
export interface ServiceStatus {
  readonly isInstalled: boolean;
  readonly isRunning: boolean;
  /** For people; several lines. */
  readonly text: string;
}

/** What keeps services running on a kind of machine. Errors: SLUICE_SERVICE_FAILED. */
export interface ServiceHost {
  /** Returns when the agent is ready. */
  start(): void | Promise<void>;
  /** Returns when what was under way is delivered or persisted. */
  stop(): void | Promise<void>;
  /** Has the agent read its pipeline files again. */
  reload(): void | Promise<void>;
  status(): ServiceStatus | Promise<ServiceStatus>;
  /** Stops it and removes the definition, never its data; returns what was removed. */
  uninstall(): string | Promise<string>;
}

/** Who is told how a running agent is. */
export interface ServiceReporter {
  /** The inputs run. */
  ready(): Promise<void>;
  /** Does the work of a reload, and says that it is one. */
  reload<T>(work: () => Promise<T>): Promise<T>;
  /** The drain begins. */
  stop(): Promise<void>;
  /** The last message: the agent has ended, with this exit code. */
  close(exitCode: number): Promise<void>;
}
