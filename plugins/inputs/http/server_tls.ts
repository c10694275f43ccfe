import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { messageOf, SluiceError } from '../../../core/sdk/index.ts';
import type { HttpInputOptions } from './config.ts';

/** Reads the files that the `tls.*` options name. Relative paths are below `baseDirectory`.
 *  Errors: SLUICE_OPTION_INVALID for a file that cannot be read. */
export async function loadServerTls(
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
    minVersion: 'TLSv1.2',
  };
}
