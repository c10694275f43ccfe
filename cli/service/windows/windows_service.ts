import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { SluiceError } from '../../../core/errors/sluice_error.ts';
import { pause, systemClock } from '../../../core/time/clock.ts';
import {
  registerEventSource,
  removeEventSource,
} from '../../../plugins/shared/windows_native/event_source.ts';
import { type Koffi, loadKoffi } from '../../../plugins/shared/windows_native/load_koffi.ts';
import type { ServiceHost, ServiceStatus } from '../service_host.ts';
import { type ControlCalls, controlCalls, type Handle } from './control_calls.ts';
import {
  descriptionStructure,
  failureActions,
  type ProcessStatus,
  processStatusBytes,
  readProcessStatus,
  readServiceConfig,
  type Structure,
  words,
} from './service_structures.ts';
import { restartDelaysMs, restartResetSeconds, type WindowsPlan } from './windows_plan.ts';

/** Values of winsvc.h and winerror.h. */
const managerAccess = { connect: 1, create: 2 } as const;
const allAccess = 0xf01ff;
const queryAccess = 0x0005;
const workAccess = 0x00f4 | queryAccess;
const ownProcess = 0x10;
const startNumbers = { delayed: 2, auto: 2, manual: 3 } as const;
const errorNormal = 1;
export const control = { stop: 1, interrogate: 4, shutdown: 5, paramChange: 6, preshutdown: 15 };
export const state = { stopped: 1, startPending: 2, stopPending: 3, running: 4 } as const;
const stateWords = ['', 'stopped', 'starting', 'stopping', 'running', 'resuming', 'pausing'];
const configLevel = { description: 1, failureActions: 2, delayedStart: 3, preshutdown: 7 } as const;
/** Leaves a number of a service's settings as it is. */
const noChange = 0xffffffff;
const alreadyRunning = 1056;
const noSuchService = 1060;
const notActive = 1062;
const unknownLevel = 124;
const specificError = 1066;
const neverStarted = 1077;

const pollMs = 100;
/** Longest that a service may make no progress, whatever it asks for. */
const standstillMinMs = 30_000;

/** A service of the service control manager. Errors: SLUICE_SERVICE_FAILED, SLUICE_DRIVER_MISSING. */
export class WindowsService implements ServiceHost {
  private readonly koffi: Koffi;
  private readonly calls: ControlCalls;
  private readonly name: string;
  private readonly eventSource: string | undefined;

  private constructor(koffi: Koffi, name: string, eventSource: string | undefined) {
    this.koffi = koffi;
    this.eventSource = eventSource;
    this.calls = controlCalls(koffi);
    this.name = name;
  }

  /** `eventSource` is what `uninstall` removes from the Event Log. */
  static async named(name: string, eventSource?: string): Promise<WindowsService> {
    return new WindowsService(await loadKoffi(), name, eventSource);
  }

  /** Returns what could not be done, as sentences: the service is there all the same. */
  install(plan: WindowsPlan, password: string | undefined): string[] {
    const { calls } = this;
    const notes: string[] = [];
    mkdirSync(plan.directory, { recursive: true });
    this.withManager(managerAccess.connect | managerAccess.create, (manager) => {
      const service = calls.createService(
        manager,
        plan.name,
        plan.displayName,
        allAccess,
        ownProcess,
        startNumbers[plan.start],
        errorNormal,
        plan.commandLine,
        null,
        null,
        null,
        plan.account,
        password ?? null,
      );
      if (service === null) throw this.failure('cannot be made');
      try {
        this.configure(service, plan, notes);
      } finally {
        calls.closeHandle(service);
      }
    });
    notes.push(...grantDirectory(plan));
    if (plan.eventSource !== undefined) notes.push(...this.register(plan.eventSource));
    return notes;
  }

  /** Gives an installed service the plan's command line; its account, start and rights stay. Returns
   *  what could not be done, as sentences. */
  async update(plan: WindowsPlan): Promise<string[]> {
    const { calls } = this;
    const notes: string[] = [];
    await this.withService(allAccess, async (service) => {
      const kept = [null, null, null, null, null, null] as const;
      const numbers = [noChange, noChange, noChange] as const;
      if (calls.changeConfig(service, ...numbers, plan.commandLine, ...kept) === 0) {
        throw this.failure('cannot be changed');
      }
      this.configureEnds(service, plan, notes);
    });
    if (plan.eventSource !== undefined) notes.push(...this.register(plan.eventSource));
    return notes;
  }

  async start(): Promise<void> {
    await this.withService(workAccess, async (service) => {
      const { calls } = this;
      if (calls.startService(service, 0, null) === 0 && calls.lastError() !== alreadyRunning) {
        throw this.failure('cannot be started');
      }
      const status = await this.settled(service, state.startPending);
      if (status.state !== state.running) throw startFailure(this.name, status);
    });
  }

  async stop(): Promise<void> {
    await this.withService(workAccess, (service) => this.stopOpen(service));
  }

  /** The agent reads its pipeline files again; what comes of it stands in its log. */
  async reload(): Promise<void> {
    await this.withService(workAccess, async (service) => {
      if (
        this.calls.control(service, control.paramChange, Buffer.alloc(processStatusBytes)) === 0
      ) {
        throw this.failure('cannot be told to reload');
      }
    });
  }

  async status(): Promise<ServiceStatus> {
    try {
      return await this.withService(queryAccess, async (service) => this.statusOf(service));
    } catch (error) {
      if (!(error instanceof ControlFailure) || error.win32Code !== noSuchService) throw error;
      return { isInstalled: false, isRunning: false, text: '' };
    }
  }

  async uninstall(): Promise<string> {
    await this.withService(allAccess, async (service) => {
      await this.stopOpen(service);
      if (this.calls.deleteService(service) === 0) throw this.failure('cannot be removed');
    });
    const { eventSource } = this;
    if (eventSource !== undefined) {
      removeEventSource(this.koffi, { log: 'Application', name: eventSource });
    }
    return `The service ${this.name}`;
  }

  private configure(service: Handle, plan: WindowsPlan, notes: string[]): void {
    const { koffi } = this;
    const description = descriptionStructure(koffi, plan.description);
    this.change(service, notes, 'The description', configLevel.description, description);
    if (plan.start === 'delayed') {
      this.change(service, notes, 'The delayed start', configLevel.delayedStart, plain(1));
    }
    this.configureEnds(service, plan, notes);
  }

  /** What Windows does when the agent ends, or has to. */
  private configureEnds(service: Handle, plan: WindowsPlan, notes: string[]): void {
    const actions = failureActions(this.koffi, restartResetSeconds, restartDelaysMs);
    const what = 'The restarts after a crash';
    this.change(service, notes, what, configLevel.failureActions, actions);
    const shutdown = plain(plan.shutdownMs);
    this.change(service, notes, 'The time to end at shutdown', configLevel.preshutdown, shutdown);
  }

  private change(
    service: Handle,
    notes: string[],
    what: string,
    level: number,
    { bytes, held }: Structure,
  ): void {
    const isDone = this.calls.changeConfig2(service, level, bytes) !== 0;
    const code = isDone ? 0 : this.calls.lastError();
    // What the structure points to is used until here.
    if (isDone && held.length >= 0) return;
    const why = code === unknownLevel ? 'this Windows does not know it' : errorText(code);
    notes.push(`${what} could not be set: ${why}.`);
  }

  private register(name: string): string[] {
    const made = registerEventSource(this.koffi, { log: 'Application', name });
    if (typeof made !== 'object') return [];
    return [`The event source ${name} could not be registered: ${errorText(made.code)}.`];
  }

  private async stopOpen(service: Handle): Promise<void> {
    const { calls } = this;
    if (calls.control(service, control.stop, Buffer.alloc(processStatusBytes)) === 0) {
      if (calls.lastError() === notActive) return;
      throw this.failure('cannot be stopped');
    }
    const status = await this.settled(service, state.stopPending);
    if (status.state === state.stopped) return;
    throw failure(`The service ${this.name} was told to stop, and is ${stateWords[status.state]}.`);
  }

  /** Waits while a service says that it is on its way, and makes progress. */
  private async settled(service: Handle, pending: number): Promise<ProcessStatus> {
    const never = new AbortController().signal;
    let checkPoint = -1;
    let movedAtMs = systemClock.monotonicMs();
    for (;;) {
      const status = this.query(service);
      if (status.state !== pending && !(pending === state.stopPending && isUp(status))) {
        return status;
      }
      const nowMs = systemClock.monotonicMs();
      if (status.checkPoint !== checkPoint) movedAtMs = nowMs;
      checkPoint = status.checkPoint;
      if (nowMs - movedAtMs > Math.max(status.waitHintMs, standstillMinMs)) return status;
      await pause(systemClock, pollMs, never);
    }
  }

  private statusOf(service: Handle): ServiceStatus {
    const { koffi, calls } = this;
    const status = this.query(service);
    const bytes = Buffer.alloc(8192);
    const hasConfig = calls.queryConfig(service, bytes, bytes.length, Buffer.alloc(4)) !== 0;
    const config = hasConfig ? readServiceConfig(koffi, bytes) : undefined;
    const code = endCode(status);
    const starts = ['', '', 'with Windows', 'by hand', 'never'][config?.startType ?? 0];
    const lines = [
      `${this.name}: ${stateWords[status.state] ?? status.state}`,
      status.processId === 0 ? '' : `process ${status.processId}`,
      status.state === state.stopped && code !== 0 ? `ended with code ${code}` : '',
      config === undefined ? '' : `starts ${starts} as ${config.account || 'LocalSystem'}`,
      config === undefined ? '' : config.commandLine,
    ];
    return {
      isInstalled: true,
      isRunning: status.state === state.running,
      text: lines.filter((line) => line !== '').join('\n'),
    };
  }

  private query(service: Handle): ProcessStatus {
    const bytes = Buffer.alloc(processStatusBytes);
    if (this.calls.queryStatus(service, 0, bytes, bytes.length, Buffer.alloc(4)) === 0) {
      throw this.failure('cannot be asked how it is');
    }
    return readProcessStatus(bytes);
  }

  private withManager<Result>(access: number, work: (manager: Handle) => Result): Result {
    const manager = this.calls.openManager(null, null, access);
    if (manager === null) throw this.failure('cannot be managed');
    try {
      return work(manager);
    } finally {
      this.calls.closeHandle(manager);
    }
  }

  private async withService<Result>(
    access: number,
    work: (service: Handle) => Promise<Result>,
  ): Promise<Result> {
    const service = this.withManager(managerAccess.connect, (manager) => {
      const opened = this.calls.openService(manager, this.name, access);
      if (opened === null) throw this.failure('cannot be opened');
      return opened;
    });
    try {
      return await work(service);
    } finally {
      this.calls.closeHandle(service);
    }
  }

  private failure(what: string): ControlFailure {
    const code = this.calls.lastError();
    return new ControlFailure(`The service ${this.name} ${what}: ${errorText(code)}.`, code);
  }
}

function plain(...values: number[]): Structure {
  return { bytes: words(values), held: [] };
}

class ControlFailure extends SluiceError {
  readonly win32Code: number;

  constructor(text: string, win32Code: number) {
    super('SLUICE_SERVICE_FAILED', text);
    this.win32Code = win32Code;
  }
}

/** What a service ended with: its own code, or one of Windows'. */
function endCode({ win32Code, specificCode }: ProcessStatus): number {
  if (win32Code === specificError) return specificCode;
  return win32Code === neverStarted ? 0 : win32Code;
}

/** It was told to stop and has not begun to. */
function isUp(status: ProcessStatus): boolean {
  return status.state === state.running;
}

function startFailure(name: string, status: ProcessStatus): SluiceError {
  const code = endCode(status);
  return failure(
    `The service ${name} did not start (${stateWords[status.state]}, code ${code}): its log says why, sluice.log in its directory unless the pipeline file names another.`,
  );
}

/** Lets the account, and nobody else but administrators, read and write the agent's files. */
function grantDirectory(plan: WindowsPlan): string[] {
  const grants = ['*S-1-5-32-544:(OI)(CI)F', '*S-1-5-18:(OI)(CI)F'];
  if (plan.account !== 'LocalSystem') grants.push(`${plan.account}:(OI)(CI)M`);
  const args = [plan.directory, '/inheritance:r', '/grant:r', ...grants, '/q'];
  const { error, status, stderr } = spawnSync('icacls', args, {
    encoding: 'utf8',
    windowsHide: true,
  });
  if (status === 0) return [];
  const why = error?.message ?? stderr.trim();
  return [`${plan.account} could not be given ${plan.directory}: ${why}`];
}

/** The commonest codes of winerror.h in words. */
function errorText(code: number): string {
  const words: Readonly<Record<number, string>> = {
    2: 'the program is not where it was installed',
    5: 'access is denied, run this as an administrator',
    1053: 'it did not answer in time',
    1057: 'there is no such account, or its password is wrong',
    1060: 'it is not installed',
    1062: 'it does not run',
    1069: 'its account cannot log on as a service',
    1072: 'it is marked for removal: close the Services window, then try again',
    1073: 'it is installed already: --update gives it these pipeline files',
    1078: 'another service has this display name',
  };
  const known = words[code];
  return known === undefined ? `error ${code}` : `${known} (${code})`;
}

function failure(text: string): SluiceError {
  return new SluiceError('SLUICE_SERVICE_FAILED', text);
}
