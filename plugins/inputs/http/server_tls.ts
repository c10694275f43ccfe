import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext, type TlsOptions } from 'node:tls';
import { type InputContext, messageOf, SluiceError } from '../../../core/sdk/index.ts';
import { TlsFiles } from '../../shared/tls/tls_files.ts';
import type { HttpInputOptions } from './config.ts';

/** The certificate of the server, and those that it checks clients with, from files that are read
 *  again when they change. Errors: SLUICE_OPTION_INVALID. */
export function openServerTls(
  options: HttpInputOptions,
  { baseDirectory, log }: Pick<InputContext, 'baseDirectory' | 'log'>,
): Promise<TlsFiles<TlsOptions>> {
  const named = [options['tls.crt_file'], options['tls.key_file'], options['tls.ca_file']];
  return TlsFiles.open({
    paths: named.flatMap((path) => (path === undefined ? [] : [resolve(baseDirectory, path)])),
    log,
    load: async () => {
      const settings = await loadServerTls(options, baseDirectory);
      checkFiles(settings);
      return settings;
    },
  });
}

/** A certificate without its key, or half a file, is refused here and not by every connection. */
function checkFiles(settings: TlsOptions): void {
  try {
    createSecureContext(settings);
  } catch (cause) {
    const text = `The files of tls.* cannot be used (${messageOf(cause)}): check that they are whole PEM files that belong together.`;
    throw new SluiceError('SLUICE_OPTION_INVALID', text, { cause });
  }
}

/** Reads the files that the `tls.*` options name. Relative paths are below `baseDirectory`.
 *  Errors: SLUICE_OPTION_INVALID for a file that cannot be read. */
async function loadServerTls(
  options: HttpInputOptions,
  baseDirectory: string,
): Promise<TlsOptions> {
  const read = async (
    key: 'tls.crt_file' | 'tls.key_file' | 'tls.ca_file',
  ): Promise<Buffer | undefined> => {
    const path = options[key];
    if (path === undefined) return undefined;
    const file = resolve(baseDirectory, path);
    try {
      return await readFile(file);
    } catch (cause) {
      const text = `${key} ${file} cannot be read (${messageOf(cause)}): check the path and its permissions.`;
      throw new SluiceError('SLUICE_OPTION_INVALID', text, { cause });
    }
  };
  const passphrase = options['tls.key_passwd']?.reveal();
  const authority = await read('tls.ca_file');
  const verifies = options['tls.verify_client_cert'];
  return {
    cert: await read('tls.crt_file'),
    key: await read('tls.key_file'),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(authority === undefined ? {} : { ca: authority }),
    requestCert: verifies,
    rejectUnauthorized: verifies,
    minVersion: options['tls.min_version'] ?? 'TLSv1.2',
    ...(options['tls.max_version'] === undefined ? {} : { maxVersion: options['tls.max_version'] }),
    ...(options['tls.ciphers'] === undefined ? {} : { ciphers: options['tls.ciphers'] }),
  };
}
