import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join, relative, resolve } from 'node:path';
import { SluiceError } from '../../core/errors/sluice_error.ts';
import type { CommandCall } from '../command.ts';
import type { LoadedPipeline } from '../pipeline_config.ts';
import { listOption, textOption } from '../usage_error.ts';
import { programWords } from './program_words.ts';
import type { UnitPlan } from './systemd_unit.ts';

const watchdogDefaultSeconds = 60;

/** What the options of `sluice service install` and the pipeline files say of the unit.
 *  Errors: SLUICE_OPTION_INVALID. */
export function unitPlan(
  name: string,
  files: readonly string[],
  pipeline: LoadedPipeline,
  call: CommandCall,
): UnitPlan {
  const { service } = pipeline.config;
  const stateDirectory = join('/var/lib', name);
  const wantedUser = textOption(call, 'user');
  const user = wantedUser === undefined ? undefined : accountName(wantedUser);
  const writable = listOption(call, 'writable').map((path) => resolve(path));
  const storagePath = resolve(stateDirectory, service.storagePath);
  if (!isWithin(stateDirectory, storagePath)) {
    if (user === undefined) {
      throw optionError(
        `storage.path is ${storagePath}: an account that systemd makes can own only ${stateDirectory}. Put it there, or name an account that owns it with --user.`,
      );
    }
    writable.push(storagePath);
  }
  if (service.logFile !== undefined) writable.push(resolve(stateDirectory, service.logFile, '..'));
  const outside = writable.filter((path) => !isWithin(stateDirectory, path));
  return {
    name,
    description: textOption(call, 'description') ?? 'Sluice observability agent',
    program: programWords(),
    pipelineFiles: files.map((file) => resolve(file)),
    workingDirectory: stateDirectory,
    user,
    groups: listOption(call, 'group').map(accountName),
    writable: [...new Set(outside)],
    readsAllFiles: call.values['read-all'] === true,
    graceMs: service.graceMs,
    watchdogSeconds: hasProgram('systemd-notify') ? watchdogDefaultSeconds : undefined,
  };
}

/** The name of a unit: what systemd allows and a directory can have. */
export function serviceName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(text)) return text;
  throw optionError(`"${text}" is no name of a service: letters, digits, ".", "_" and "-".`);
}

function accountName(text: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(text)) return text;
  throw optionError(`"${text}" is no name of a user or group.`);
}

function isWithin(directory: string, path: string): boolean {
  const rest = relative(directory, path);
  return rest === '' || (!rest.startsWith('..') && !isAbsolute(rest));
}

function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function optionError(text: string): SluiceError {
  return new SluiceError('SLUICE_OPTION_INVALID', text);
}
