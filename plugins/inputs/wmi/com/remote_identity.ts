import type { ComCalls } from './com_calls.ts';
import type { ComTarget } from './wmi_connection.ts';

const unicode = 2;

/** An account for another host: SEC_WINNT_AUTH_IDENTITY_W (rpcdce.h), as 64 bits have it. COM keeps
 *  its address, so it lives as long as the process. */
export class RemoteIdentity {
  readonly account: string;
  readonly bytes: Buffer;

  private constructor(account: string, bytes: Buffer) {
    this.account = account;
    this.bytes = bytes;
  }

  /** Undefined where the agent's own account is used. */
  static of(com: ComCalls, target: ComTarget): RemoteIdentity | undefined {
    const { username, password = '', domain = '' } = target;
    if (username === undefined) return undefined;
    const bytes = Buffer.alloc(48);
    [username, domain, password].forEach((text, at) => {
      bytes.writeBigUInt64LE(com.allocateText(text), at * 16);
      bytes.writeUInt32LE(text.length, at * 16 + 8);
    });
    bytes.writeUInt32LE(unicode, 44);
    return new RemoteIdentity(domain === '' ? username : `${domain}\\${username}`, bytes);
  }
}
