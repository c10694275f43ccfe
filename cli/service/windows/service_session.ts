import { type Clock, systemClock } from '../../../core/time/clock.ts';
import { type Koffi, loadKoffi } from '../../../plugins/shared/windows_native/load_koffi.ts';
import { exitCode as exitCodes } from '../../exit_codes.ts';
import type { ServiceReporter } from '../service_host.ts';
import { type Handle, type ServiceCalls, serviceCalls } from './control_calls.ts';
import {
  serviceTable,
  type StatusFields,
  statusStructure,
  wideText,
} from './service_structures.ts';
import { control, state } from './windows_service.ts';

/** Accepted while the agent runs: stop, a change of its files, and a shutdown with time to end. */
const accepted = 0x1 | 0x8 | 0x100;
/** Controls of one's own begin here; this one reloads, as paramChange does. */
const reloadControl = 128;
const notImplemented = 120;
/** ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: a person started the program. */
const notAService = 1063;

/** How often Windows hears that a start or a stop makes progress, and what it may wait for that. */
const progressMs = 1000;
const waitHintMs = 20_000;

/** What the service control manager wants of the agent. */
export interface ServiceOrders {
  stop(): void;
  reload(): Promise<unknown>;
}

/** A process that the service control manager runs. Source: "Service Programs" of Windows.
 *
 *  The manager's calls come on threads of its own and wait for JavaScript's, so nothing here waits
 *  for the manager. An end without `close` is a crash to it, after which it restarts the agent. */
export class ServiceSession implements ServiceReporter {
  private readonly calls: ServiceCalls;
  private readonly clock: Clock;
  /** Memory and callbacks that the manager keeps using. */
  private readonly held: unknown[] = [];
  private status: Handle = null;
  private orders: ServiceOrders | undefined;
  private wasStopAsked = false;
  private state: number = state.startPending;
  private checkPoint = 0;
  private cancelProgress: (() => void) | undefined;
  private ended: Promise<unknown> = Promise.resolve();

  private constructor(koffi: Koffi, clock: Clock) {
    this.calls = serviceCalls(koffi);
    this.clock = clock;
  }

  /** Meets the manager and says that the agent is starting. Undefined when it was a person who
   *  started the program. */
  static async begin(name: string, clock = systemClock): Promise<ServiceSession | undefined> {
    const koffi = await loadKoffi();
    const session = new ServiceSession(koffi, clock);
    return (await session.connect(koffi, name)) ? session : undefined;
  }

  /** Whom the manager's controls go to; one that came before is passed on now. */
  obey(orders: ServiceOrders): void {
    this.orders = orders;
    if (this.wasStopAsked) orders.stop();
  }

  async ready(): Promise<void> {
    this.cancelProgress?.();
    if (this.state === state.startPending) this.say({ state: state.running, accepted });
  }

  reload<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  async stop(): Promise<void> {
    if (this.state !== state.stopPending) this.proceed(state.stopPending);
  }

  /** Nothing is done after this: the manager may end the process at once. */
  async close(exitCode: number): Promise<void> {
    this.cancelProgress?.();
    // An end without a word is a failure to the manager: it starts the agent again.
    if (exitCode === exitCodes.failure || this.state === state.stopped) return;
    this.say({ state: state.stopped, exitCode });
    await this.ended;
  }

  private connect(koffi: Koffi, name: string): Promise<boolean> {
    const wideName = wideText(name);
    const handlerType = koffi.pointer(
      koffi.proto('uint32_t', ['uint32_t', 'uint32_t', 'void *', 'void *']),
    );
    const mainType = koffi.pointer(koffi.proto('void', ['uint32_t', 'void *']));
    const handler = koffi.register((code: number) => this.handle(code), handlerType);
    return new Promise((resolve, reject) => {
      const main = koffi.register(() => {
        this.status = this.calls.registerHandler(name, handler, null);
        this.proceed(state.startPending);
        resolve(true);
      }, mainType);
      const table = serviceTable(koffi, wideName, main);
      this.held.push(wideName, table);
      this.ended = new Promise<void>((end) => {
        this.calls.startDispatcher.async(table, (error, isDone) => {
          const code = isDone ? 0 : this.calls.lastError();
          end();
          if (error !== null) reject(error);
          else if (code === notAService) resolve(false);
          else if (code !== 0) reject(new Error(`Windows does not run the service: error ${code}`));
        });
      });
    });
  }

  private handle(code: number): number {
    switch (code) {
      case control.stop:
      case control.preshutdown:
      case control.shutdown:
        this.wasStopAsked = true;
        this.proceed(state.stopPending);
        this.orders?.stop();
        return 0;
      case control.paramChange:
      case reloadControl:
        void this.orders?.reload();
        return 0;
      case control.interrogate:
        return 0;
      default:
        return notImplemented;
    }
  }

  /** Says at once, and then again and again, that a start or a stop is under way. */
  private proceed(pending: number): void {
    this.cancelProgress?.();
    const step = (): void =>
      this.say({ state: pending, waitHintMs, checkPoint: ++this.checkPoint });
    step();
    this.cancelProgress = this.clock.every(progressMs, step);
  }

  private say(fields: StatusFields): void {
    this.state = fields.state;
    this.calls.setStatus(this.status, statusStructure(fields));
  }
}
