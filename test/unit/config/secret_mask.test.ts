import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../core/config/secret.ts';
import { maskCredentials, SecretMask } from '../../../core/config/secret_mask.ts';

function maskOf(options: unknown): SecretMask {
  const mask = new SecretMask();
  mask.learn({ outputs: [{ options }] });
  return mask;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const password = 'hunter-2"§';

const cases: readonly { name: string; text: string; shown: string }[] = [
  { name: 'itself', text: `no ${password}!`, shown: 'no ***!' },
  { name: 'as JSON writes it', text: JSON.stringify({ a: password }), shown: '{"a":"***"}' },
  { name: 'as basic authentication', text: `got ${base64(`me:${password}`)}.`, shown: 'got ***.' },
  { name: 'in a URL', text: `x=${encodeURIComponent(password)}&`, shown: 'x=***&' },
  { name: 'cut off at the end', text: 'the answer was hunter-2', shown: 'the answer was ***' },
  { name: 'cut off before an ellipsis', text: 'was hunter-2… (400)', shown: 'was ***… (400)' },
  {
    name: 'within a longer word, where it is another',
    text: 'xhunter-2"§x',
    shown: 'xhunter-2"§x',
  },
];

for (const { name, text, shown } of cases) {
  test(`a secret is hidden ${name}`, () => {
    const mask = maskOf({ http_user: 'me', http_passwd: new Secret(password) });
    assert.equal(mask.text(text), shown);
  });
}

test('passwords of URLs and values of telling headers are secrets; other headers are not', () => {
  const mask = maskOf({
    proxy: 'http://me:p%40ssword@proxy:3128',
    header: ['X-Api-Key abcdefgh', 'Authorization Custom ijklmnop', 'X-Scope-OrgID team-1'],
  });
  const text = mask.text('p@ssword p%40ssword abcdefgh ijklmnop team-1');
  assert.equal(text, '*** *** *** *** team-1');
});

test('credentials are hidden whoever they belong to', () => {
  assert.equal(maskCredentials('at https://u:p@ss@host/a@b'), 'at https://***@host/a@b');
  assert.equal(maskCredentials('GET /?a=1&api_key=xyz&b=2'), 'GET /?a=1&api_key=***&b=2');
  assert.equal(maskCredentials('Bearer abcdefghijklmnopq.x'), 'Bearer ***');
  assert.equal(maskCredentials('Basic authentication is off'), 'Basic authentication is off');
});

test('what a replaced configuration held stays hidden, and nothing is hidden without secrets', () => {
  const mask = new SecretMask();
  assert.equal(mask.text('abc'), 'abc');
  mask.learn({ a: new Secret('first-one') });
  mask.learn({ a: new Secret('other-one') });
  assert.equal(mask.text('first-one other-one'), '*** ***');
});

test('texts without an end are masked in time that grows with them', () => {
  const mask = maskOf({ http_passwd: new Secret('aaaaaaaaaaaaaaaaaaaa') });
  for (const unit of ['a', '://', '?token', 'Bearer ', '://a:b']) mask.text(unit.repeat(200_000));
});
