import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { md4 } from '../../../plugins/shared/ntlm/md4.ts';
import {
  authenticateMessage,
  NtlmError,
  NtlmSeal,
  negotiateMessage,
  ntlmV2Key,
  ntlmV2Response,
} from '../../../plugins/shared/ntlm/ntlm_client.ts';
import { Rc4 } from '../../../plugins/shared/ntlm/rc4.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

// RFC 1320, appendix A.5.
for (const [text, digest] of [
  ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
  ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
  ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
  ['message digest', 'd9130a8164549fe818874806e1c7014b'],
  ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
  ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
] as const) {
  test(`MD4 of ${JSON.stringify(text)} is that of the RFC`, () => {
    assert.equal(md4(Buffer.from(text)).toString('hex'), digest);
  });
}

for (const [key, text, sealed] of [
  ['Key', 'Plaintext', 'bbf316e8d940af0ad3'],
  ['Wiki', 'pedia', '1021bf0420'],
  ['Secret', 'Attack at dawn', '45a01f645fc35b383552544b9bf5'],
] as const) {
  test(`RC4 of ${text} is the known one`, () => {
    assert.equal(new Rc4(Buffer.from(key)).apply(Buffer.from(text)).toString('hex'), sealed);
  });
}

// [MS-NLMP] 4.2.1 and 4.2.4.
const account = { username: 'User', password: 'Password', domain: 'Domain' };
const serverChallenge = hex('0123456789abcdef');
const clientChallenge = hex('aaaaaaaaaaaaaaaa');
const sessionKey = hex('55555555555555555555555555555555');
const targetInfo = hex(
  '02000c0044006f006d00610069006e00 01000c005300650072007600650072 00 00000000',
);

test('the key of version 2 is that of the specification', () => {
  assert.equal(ntlmV2Key(account).toString('hex'), '0c868a403bfd7a93a3001ef22ef02e3f');
});

test('responses and session key are those of the specification', () => {
  const time = Buffer.alloc(8);
  const { nt, lm, sessionBaseKey } = ntlmV2Response(account, {
    ...{ serverChallenge, clientChallenge, time, targetInfo },
  });
  assert.equal(nt.toString('hex', 0, 16), '68cd0ab851e51c96aabc927bebef6a1c');
  assert.equal(lm.toString('hex'), '86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa');
  assert.equal(sessionBaseKey.toString('hex'), '8de40ccadbc14a82f15cb0ad0de95ca3');
  const encrypted = new Rc4(sessionBaseKey).apply(sessionKey);
  assert.equal(encrypted.toString('hex'), 'c5dad2544fc9799094ce1ce90bc9d03e');
});

test('a sealed message and its signature are those of the specification', () => {
  const { signature, sealed } = new NtlmSeal(sessionKey).wrap(Buffer.from('Plaintext', 'utf16le'));
  assert.equal(sealed.toString('hex'), '54e50165bf1936dc996020c1811b0f06fb5f');
  assert.equal(signature.toString('hex'), '010000007fb38ec5c55d497600000000');
});

/** The challenge of [MS-NLMP] 4.2.4.3. */
const challenge = hex(
  `4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef 0000000000000000
   2400240044000000 0600701700000000f 530065007200760065007200`
    .replaceAll(/\s/g, '')
    .replace('0600701700000000f', '060070170000000f') + targetInfo.toString('hex'),
);

test('the third message has the parts of the specification', () => {
  const chances = { clientChallenge, sessionKey, time: 0n };
  const { message } = authenticateMessage(
    negotiateMessage(),
    challenge,
    account,
    { service: '' },
    chances,
  );
  const part = (at: number): Buffer => {
    const from = message.readUInt32LE(at + 4);
    return message.subarray(from, from + message.readUInt16LE(at));
  };
  assert.equal(part(12).toString('hex'), '86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa');
  assert.equal(part(20).toString('hex', 0, 16), '68cd0ab851e51c96aabc927bebef6a1c');
  assert.equal(part(28).toString('utf16le'), 'Domain');
  assert.equal(part(36).toString('utf16le'), 'User');
  assert.equal(part(52).toString('hex'), 'c5dad2544fc9799094ce1ce90bc9d03e');
});

test('what is no challenge is refused, and cut or changed bytes never throw anything else', () => {
  const tryOne = (bytes: Buffer): void => {
    try {
      authenticateMessage(negotiateMessage(), bytes, account, { service: 'HTTP/x' });
    } catch (error) {
      assert.ok(error instanceof NtlmError, String(error));
    }
  };
  assert.throws(
    () => authenticateMessage(negotiateMessage(), Buffer.from('NTLM'), account, { service: '' }),
    NtlmError,
  );
  fc.assert(
    fc.property(
      fc.nat(challenge.length - 1),
      fc.nat(255),
      fc.nat(challenge.length),
      (at, by, end) => {
        const bytes = Buffer.from(challenge);
        bytes[at] = by;
        tryOne(bytes.subarray(0, end));
      },
    ),
  );
});

test('a changed message is not opened', () => {
  const seal = new NtlmSeal(sessionKey);
  const key = (kind: string): Buffer =>
    createHash('md5')
      .update(sessionKey)
      .update(`session key to server-to-client ${kind} key magic constant\0`)
      .digest();
  const sealed = new Rc4(key('sealing')).apply(Buffer.from('hello'));
  assert.throws(() => seal.unwrap(Buffer.alloc(16), sealed), NtlmError);
});
