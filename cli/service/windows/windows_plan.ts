import { win32 } from 'node:path';
import { SluiceError } from '../../../core/errors/sluice_error.ts';

/** What a service of Windows is made from. Paths are absolute. */
export interface WindowsPlan {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly commandLine: string;
  /** Where the agent keeps its files, and its log where the pipeline file names none. */
  readonly directory: string;
  readonly account: string;
  /** Name of the variable that has the account's password; most kinds of account have none. */
  readonly passwordVariable: string | undefined;
  readonly start: StartType;
  /** What Windows gives the agent to end by itself when it shuts down. */
  readonly shutdownMs: number;
  /** Source to register in the Event Log. */
  readonly eventSource: string | undefined;
}

export const startTypes = ['delayed', 'auto', 'manual'] as const;
export type StartType = (typeof startTypes)[number];

/** Restarts after a crash: the delays, of which the last is repeated. Forgotten after a quiet day. */
export const restartDelaysMs: readonly number[] = [5000, 30_000, 60_000];
export const restartResetSeconds = 86_400;

/** What Windows waits beyond the agent's own grace. */
const shutdownReserveMs = 10_000;

export interface WindowsPlanOptions {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly description?: string | undefined;
  readonly directory?: string | undefined;
  readonly account?: string | undefined;
  readonly passwordVariable?: string | undefined;
  readonly start?: string | undefined;
  readonly eventSource?: string | undefined;
  readonly program: readonly string[];
  readonly pipelineFiles: readonly string[];
  readonly graceMs: number;
  /** `%ProgramData%`. */
  readonly programData: string;
}

/** Completes what the options of `sluice service install` say. Errors: SLUICE_OPTION_INVALID. */
export function windowsPlan(options: WindowsPlanOptions): WindowsPlan {
  const { name, account = `NT SERVICE\\${name}`, start = 'delayed' } = options;
  const directory = win32.resolve(options.directory ?? win32.join(options.programData, name));
  const words = [
    ...options.program,
    ...['run', '--service', name, '--directory', directory],
    ...options.pipelineFiles,
  ];
  return {
    name,
    displayName: options.displayName ?? `Sluice observability agent (${name})`,
    description:
      options.description ??
      'Collects logs and metrics of this host and sends them where its pipeline file says.',
    commandLine: words.map(commandWord).join(' '),
    directory,
    account: accountName(account),
    passwordVariable: options.passwordVariable,
    start: startType(start),
    shutdownMs: options.graceMs + shutdownReserveMs,
    eventSource: options.eventSource,
  };
}

/** A word as CommandLineToArgvW reads it back. */
export function commandWord(word: string): string {
  if (word !== '' && !/[\s"]/.test(word)) return word;
  // Backslashes count only before a quote, the closing one too.
  return `"${word.replace(/(\\*)("|$)/g, (_all, slashes: string, quote: string) => slashes + slashes + (quote === '"' ? '\\"' : ''))}"`;
}

/** What `--print` shows. */
export function planText(plan: WindowsPlan): string {
  const lines = [
    ['name', plan.name],
    ['display name', plan.displayName],
    ['description', plan.description],
    ['command line', plan.commandLine],
    ['directory', plan.directory],
    ['account', plan.account],
    ['start', plan.start],
    ['restarts', `after ${restartDelaysMs.map((ms) => `${ms / 1000} s`).join(', ')}, ...`],
    ['at shutdown', `Windows waits ${plan.shutdownMs / 1000} s`],
    ['event source', plan.eventSource ?? 'none'],
  ];
  return lines.map(([what, value]) => `${`${what}:`.padEnd(15)}${value}\n`).join('');
}

function startType(text: string): StartType {
  const known = startTypes.find((one) => one === text);
  if (known !== undefined) return known;
  throw optionError(`"${text}" is no way to start a service: ${startTypes.join(', ')}.`);
}

function accountName(text: string): string {
  if (/^[^\x00-\x1f"/[\]:;|=,+*?<>]{1,256}$/.test(text)) return text;
  throw optionError(
    `"${text}" is no account: LocalSystem, NT SERVICE\\NAME, DOMAIN\\NAME, or DOMAIN\\NAME$ for a managed one.`,
  );
}

function optionError(text: string): SluiceError {
  return new SluiceError('SLUICE_OPTION_INVALID', text);
}
