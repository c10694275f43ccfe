import type { Command } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { packageVersion } from '../package_version.ts';

/** `sluice version`. */
export const version: Command = {
  name: 'version',
  summary: 'Prints the version.',
  usage: 'sluice version',
  options: {},
  async run({ stdout }) {
    stdout.write(`sluice ${packageVersion()} (node ${process.version}, ${process.platform})\n`);
    return exitCode.ok;
  },
};
