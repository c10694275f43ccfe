import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../../core/sdk/index.ts';
import { Refusal } from './refusal.ts';

export interface Credentials {
  readonly token?: Secret;
  readonly http_user?: string;
  readonly http_passwd?: Secret;
}

/** Checks a request's `Authorization` header: a bearer token (RFC 6750), or basic authentication
 *  (RFC 7617); one of those that are set will do. Comparing takes the same time wherever the
 *  texts differ. Errors: Refusal with 401. */
export class Authorization {
  private readonly accepted: readonly Buffer[];
  private readonly challenge: string;

  constructor({ token, http_user: user, http_passwd: password }: Credentials) {
    const accepted: string[] = [];
    if (token !== undefined) accepted.push(`bearer ${token.reveal()}`);
    if (user !== undefined && password !== undefined) {
      accepted.push(`basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}`);
    }
    this.accepted = accepted.map(digest);
    this.challenge = token !== undefined ? 'Bearer' : 'Basic realm="sluice", charset="UTF-8"';
  }

  /** Anybody may send. */
  get isOpen(): boolean {
    return this.accepted.length === 0;
  }

  check(header: string | undefined): void {
    if (this.isOpen) return;
    const [, scheme = '', rest = ''] = /^\s*(\S+)\s+(.*?)\s*$/s.exec(header ?? '') ?? [];
    const given = digest(`${scheme.toLowerCase()} ${rest}`);
    // Each is compared, so that time does not tell which one nearly fitted.
    const fits = this.accepted.map((one) => timingSafeEqual(one, given));
    if (fits.includes(true)) return;
    throw new Refusal(401, 'The request carries no valid credentials.', {
      'www-authenticate': this.challenge,
    });
  }
}

/** Texts of any length as digests of one length, which `timingSafeEqual` asks for. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
