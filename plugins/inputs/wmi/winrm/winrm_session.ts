import type { HttpClient, HttpResponse } from '../../../shared/http_client/http_client.ts';
import {
  authenticateMessage,
  type NtlmAccount,
  type NtlmSeal,
  negotiateMessage,
} from '../../../shared/ntlm/ntlm_client.ts';
import { serverEndPoint } from '../../../shared/tls/channel_binding.ts';
import { openBody, sealBody, sealedContentType } from './sealed_body.ts';

export interface SessionOptions {
  readonly client: HttpClient;
  readonly path: string;
  readonly account: NtlmAccount;
  readonly authentication: 'ntlm' | 'basic';
  /** `HTTP/host`. */
  readonly service: string;
  /** Whether messages are encrypted by NTLM: where TLS does not. */
  readonly isSealed: boolean;
}

const responseBytesMax = 16 * 1024 * 1024;
const empty = Buffer.alloc(0);
const soap = 'application/soap+xml;charset=UTF-8';

/** One connection to WinRM, which NTLM authenticates as a whole: it takes one request at a time. */
export class WinrmSession {
  private readonly options: SessionOptions;
  private seal: NtlmSeal | undefined;
  private isOpen = false;

  constructor(options: SessionOptions) {
    this.options = options;
  }

  /** Sends one envelope; gives status and text of the answer. Errors: HttpFailure, NtlmError, and
   *  Error where the account is refused. */
  async send(envelope: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
    if (this.options.authentication === 'basic') return this.sendBasic(envelope, signal);
    const wasOpen = this.isOpen;
    if (!wasOpen) await this.open(signal);
    const answer = await this.exchange(envelope, signal);
    if (answer.status !== 401) return this.textOf(answer);
    // The server closes connections that rest; a new one is authenticated anew.
    this.isOpen = false;
    if (!wasOpen) throw refused();
    await this.open(signal);
    const again = await this.exchange(envelope, signal);
    if (again.status === 401) throw refused();
    return this.textOf(again);
  }

  close(): Promise<void> {
    return this.options.client.close();
  }

  private async open(signal: AbortSignal): Promise<void> {
    const { account, service, isSealed } = this.options;
    const negotiate = negotiateMessage();
    const first = await this.post(['authorization', bearer(negotiate)], empty, signal, true);
    const token = /^Negotiate\s+(\S+)/i.exec(first.headers.get('www-authenticate') ?? '')?.[1];
    if (first.status !== 401 || token === undefined) {
      throw new Error(
        `WinRM does not offer NTLM (status ${first.status}): allow Negotiate in winrm/config/service/auth, and check host, port and tls`,
      );
    }
    const challenge = Buffer.from(token, 'base64');
    const { certificate } = first;
    const channelBinding = certificate === undefined ? undefined : serverEndPoint(certificate);
    const target = { service, channelBinding };
    const { message, seal } = authenticateMessage(negotiate, challenge, account, target);
    const second = await this.post(['authorization', bearer(message)], empty, signal);
    if (second.status === 401) throw refused();
    this.seal = isSealed ? seal : undefined;
    this.isOpen = true;
  }

  private exchange(envelope: string, signal: AbortSignal): Promise<HttpResponse> {
    const plain = Buffer.from(envelope);
    if (this.seal === undefined) return this.post(['content-type', soap], plain, signal);
    return this.post(['content-type', sealedContentType], sealBody(this.seal, plain), signal);
  }

  private textOf(answer: HttpResponse): { status: number; text: string } {
    const { status, body } = answer;
    if (answer.truncated)
      throw new Error(`WinRM’s answer is larger than ${responseBytesMax} bytes`);
    const isSealed = /^multipart\/encrypted/i.test(answer.headers.get('content-type') ?? '');
    if (this.seal === undefined || body.length === 0) return { status, text: body.toString() };
    // What is not sealed could be anybody's.
    if (!isSealed) return { status: status === 200 ? 502 : status, text: '' };
    return { status, text: openBody(this.seal, body).toString() };
  }

  private async sendBasic(
    envelope: string,
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    const { username, password, domain } = this.options.account;
    const user = domain === '' ? username : `${domain}\\${username}`;
    const pair = Buffer.from(`${user}:${password}`).toString('base64');
    const headers = ['authorization', `Basic ${pair}`, 'content-type', soap];
    const answer = await this.post(headers, Buffer.from(envelope), signal);
    if (answer.status === 401) throw refused();
    return this.textOf(answer);
  }

  private post(
    headers: string[],
    body: Buffer,
    signal: AbortSignal,
    wantsCertificate = false,
  ): Promise<HttpResponse> {
    const { client, path } = this.options;
    const all = [...headers, 'user-agent', 'sluice', 'connection', 'keep-alive'];
    return client.request({
      ...{ method: 'POST', path, headers: all, body, signal, responseBytesMax, wantsCertificate },
    });
  }
}

function bearer(message: Buffer): string {
  return `Negotiate ${message.toString('base64')}`;
}

function refused(): Error {
  return new Error(
    'WinRM refuses the account (401): check username, domain and password, and that the account is in "Remote Management Users"',
  );
}
