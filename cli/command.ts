import type { Writable } from 'node:stream';

export interface CommandOption {
  readonly type: 'boolean' | 'string';
  readonly help: string;
  readonly multiple?: boolean;
  readonly short?: string;
}

export interface CommandCall {
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Writable & { isTTY?: boolean };
  readonly stderr: Writable & { isTTY?: boolean };
}

/** One subcommand of `sluice`. Returns the exit code. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  run(call: CommandCall): Promise<number>;
}
