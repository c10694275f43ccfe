import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { type Log, messageOf, SluiceError, type TlsOptions } from '../../../core/sdk/index.ts';
import { TlsFiles } from './tls_files.ts';

/** Certificates in one directory at most. */
const certificatesMax = 1000;

/** What node:tls takes for connections to a server, from files that are read again when they
 *  change. */
export type ClientTls = TlsFiles<ConnectionOptions>;

/** Reads the files that the `tls.*` options name. Relative paths are below `baseDirectory`. The
 *  server is verified unless the options say otherwise.
 *  Errors: SLUICE_OPTION_INVALID for a file that cannot be read, and for options at odds. */
export function openClientTls(
  options: TlsOptions,
  context: { readonly baseDirectory: string; readonly log: Log },
): Promise<ClientTls> {
  const { baseDirectory, log } = context;
  const { caFile, caPath, crtFile, keyFile } = options;
  const named = [caFile, caPath, crtFile, keyFile].filter((path) => path !== undefined);
  return TlsFiles.open({
    paths: named.map((path) => resolve(baseDirectory, path)),
    log,
    load: async () => {
      const settings = await loadTlsClient(options, baseDirectory);
      checkFiles(settings);
      return settings;
    },
  });
}

/** A certificate without its key, or half a file, is refused here and not by every connection. */
function checkFiles(settings: ConnectionOptions): void {
  try {
    createSecureContext(settings);
  } catch (cause) {
    throw invalid(
      `The files of tls.* cannot be used (${messageOf(cause)}): check that they are whole PEM files that belong together.`,
    );
  }
}

/** Reads the files and gives what node:tls takes. Errors: SLUICE_OPTION_INVALID. */
export async function loadTlsClient(
  options: TlsOptions,
  baseDirectory: string,
): Promise<ConnectionOptions> {
  if ((options.crtFile === undefined) !== (options.keyFile === undefined)) {
    throw invalid('A client certificate needs its key: give both tls.crt_file and tls.key_file.');
  }
  const { minVersion, maxVersion } = options;
  if (minVersion !== undefined && maxVersion !== undefined && minVersion > maxVersion) {
    throw invalid('tls.min_version is newer than tls.max_version: no version is left to speak.');
  }
  const readOne = async (path: string | undefined, key: string): Promise<Buffer | undefined> =>
    path === undefined ? undefined : readPem(resolve(baseDirectory, path), key);
  const authorities = [
    await readOne(options.caFile, 'tls.ca_file'),
    ...(await readDirectory(options.caPath, baseDirectory)),
  ].filter((text) => text !== undefined);
  const settings: ConnectionOptions = {
    rejectUnauthorized: options.verify,
    cert: await readOne(options.crtFile, 'tls.crt_file'),
    key: await readOne(options.keyFile, 'tls.key_file'),
    passphrase: options.keyPasswd?.reveal(),
    servername: options.vhost,
    // Older versions are broken; node:tls lets an environment variable lower its own limit.
    minVersion: minVersion ?? 'TLSv1.2',
    maxVersion,
    ciphers: options.ciphers,
  };
  if (authorities.length > 0) settings.ca = authorities;
  if (!options.verifyHostname) settings.checkServerIdentity = () => undefined;
  const known = withoutUndefined(settings);
  for (const authority of authorities) assertCertificates(authority);
  try {
    createSecureContext(known);
  } catch (cause) {
    const text = `The files of the tls.* options do not work (${messageOf(cause)}): give certificates and the key as PEM, and the key's password as tls.key_passwd.`;
    throw new SluiceError('SLUICE_OPTION_INVALID', text, { cause });
  }
  return known;
}

/** Without this, node:tls takes a file without certificates for no authority, and says nothing. */
function assertCertificates(pem: Buffer): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    const text = `A file of tls.ca_file or tls.ca_path has no certificate (${messageOf(cause)}): give certificates as PEM.`;
    throw new SluiceError('SLUICE_OPTION_INVALID', text, { cause });
  }
}

async function readDirectory(path: string | undefined, baseDirectory: string): Promise<Buffer[]> {
  if (path === undefined) return [];
  const directory = resolve(baseDirectory, path);
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (cause) {
    throw unreadable('tls.ca_path', directory, cause);
  }
  const wanted = names.filter((name) => /\.(?:pem|crt|cer)$/i.test(name)).sort();
  if (wanted.length === 0 || wanted.length > certificatesMax) {
    const text = `tls.ca_path ${directory} has ${wanted.length} files of certificates where 1 to ${certificatesMax} are expected: check the directory.`;
    throw invalid(text);
  }
  return Promise.all(wanted.map((name) => readPem(join(directory, name), 'tls.ca_path')));
}

async function readPem(path: string, key: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(key, path, cause);
  }
}

function unreadable(key: string, path: string, cause: unknown): SluiceError {
  const message = `${key} ${path} cannot be read (${messageOf(cause)}): check the path and its permissions.`;
  return new SluiceError('SLUICE_OPTION_INVALID', message, { cause });
}

function invalid(message: string): SluiceError {
  return new SluiceError('SLUICE_OPTION_INVALID', message);
}

/** node:tls takes a key with an undefined value for a wrong one. */
function withoutUndefined(settings: ConnectionOptions): ConnectionOptions {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
