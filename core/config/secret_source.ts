import { dirname, resolve } from 'node:path';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import type { VariableLookup } from './interpolate.ts';

export interface SecretValue {
  readonly value: string;
  /** A sentence about what is odd, such as a file that everybody may read. */
  readonly warning?: string;
}

/** Where the maps `{file: path}` and `{env: NAME}` of a secret option lead. Both throw SLUICE_OPTION_INVALID. */
export interface SecretReader {
  fromFile(path: string, configFile: string): SecretValue;
  fromEnvironment(name: string): SecretValue;
}

export interface SecretFiles {
  readonly readFile: (path: string) => string;
  /** Permission bits of a file; undefined when they are not known. */
  readonly fileMode: (path: string) => number | undefined;
  readonly lookup: VariableLookup;
  readonly cwd: string;
}

const othersMayRead = 0o004;
const lengthMax = 1 << 20;

/** Makes a reader. Paths are relative to the pipeline file; one newline at the end of a file is not part of
 *  the secret. */
export function secretReader(files: SecretFiles): SecretReader {
  return {
    fromFile(path, configFile) {
      const absolute = resolve(files.cwd, dirname(configFile), path);
      const value = readSecret(files, path, absolute);
      const mode = files.fileMode(absolute);
      if (mode === undefined || (mode & othersMayRead) === 0) return { value };
      return {
        value,
        warning: `The secret file ${path} can be read by everybody; take that right away with chmod o-r.`,
      };
    },
    fromEnvironment(name) {
      const value = files.lookup(name);
      if (value !== undefined) return { value };
      throw new SluiceError(
        'SLUICE_OPTION_INVALID',
        `The variable "${name}" of a secret is not set.`,
      );
    },
  };
}

function readSecret(files: SecretFiles, path: string, absolute: string): string {
  let text: string;
  try {
    text = files.readFile(absolute);
  } catch (error) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `The secret file ${path} cannot be read: ${messageOf(error)}.`,
      { cause: error },
    );
  }
  if (text.length > lengthMax) {
    throw new SluiceError('SLUICE_OPTION_INVALID', `The secret file ${path} is larger than 1 MiB.`);
  }
  return text.replace(/\r?\n$/, '');
}
