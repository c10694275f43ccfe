/** How a service is, as its manager says. */
export interface ServiceStatus {
  readonly isInstalled: boolean;
  readonly isRunning: boolean;
  /** For people; several lines. */
  readonly text: string;
}

/** What keeps services running on a kind of machine. Errors: SLUICE_SERVICE_FAILED. */
export interface ServiceHost {
  /** Writes the definition and has it started with the machine; returns where it is. */
  install(definition: string): string;
  start(): void;
  /** Returns when what was under way is delivered or persisted. */
  stop(): void;
  status(): ServiceStatus;
  /** Stops it and removes the definition, never its data; returns what was removed. */
  uninstall(): string;
}
