import { type Secret, SluiceError } from '../../../core/sdk/index.ts';

/** The Authorization header for a user and password (RFC 7617); undefined without a user. */
export function basicAuthorization(
  user: string | undefined,
  password: Secret | undefined,
): string | undefined {
  if (user === undefined || user === '') return undefined;
  const pair = `${user}:${password?.reveal() ?? ''}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** The Authorization header for a scheme with one token, such as `Bearer` or `ApiKey`.
 *  Errors: SLUICE_OPTION_INVALID for a token that no header can carry. */
export function tokenAuthorization(scheme: string, token: Secret): string {
  const value = token.reveal().trim();
  if (value === '' || /[^\x21-\x7e]/.test(value)) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `The ${scheme} token is empty or has characters that a header cannot carry: check how it is read.`,
    );
  }
  return `${scheme} ${value}`;
}
