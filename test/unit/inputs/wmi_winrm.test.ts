import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../../core/testing/index.ts';
import { plugin } from '../../../plugins/inputs/wmi/index.ts';
import { serverEndPoint } from '../../../plugins/shared/tls/channel_binding.ts';
import { makeCertificate } from '../../engine/certificates.ts';
import { type InputRig, inputRig } from './metric_rig.ts';
import { type WinrmScript, type WinrmServer, winrmServer } from './winrm_server.ts';

const account = { username: 'reader', password: 'Größe 9!', domain: 'LAB' };

const disk = (id: string, size: string): string =>
  `<p:Win32_LogicalDisk xmlns:p="p" xmlns:xsi="x"><p:DeviceID>${id}</p:DeviceID><p:Size>${size}</p:Size>` +
  '<p:Label>a &lt; b</p:Label><p:Ok>true</p:Ok><p:None xsi:nil="true"/><p:Caps>3</p:Caps><p:Caps>4</p:Caps>' +
  '<p:Since><cim:Datetime xmlns:cim="c">2025-11-21T16:39:10Z</cim:Datetime></p:Since></p:Win32_LogicalDisk>';

interface Remote {
  readonly rig: InputRig;
  readonly server: WinrmServer;
}

async function started(
  t: TestContext,
  script: Partial<WinrmScript>,
  options: Record<string, unknown> = {},
): Promise<Remote> {
  const server = await winrmServer(t, { account, pages: [[disk('C:', '5')]], ...script });
  const rig = inputRig(plugin, {
    ...{ ...account, host: '127.0.0.1', port: server.port, tls: false, transport: 'winrm' },
    ...{ interval: '1h', classes: ['Win32_LogicalDisk'], ...options },
  });
  await rig.start();
  t.after(() => rig.stop());
  return { rig, server };
}

const failures = (rig: InputRig, collector = 'Win32_LogicalDisk'): number =>
  rig.count('sluice_collector_failures_total', { collector });

test('rows come over sealed messages, page by page, with values as their texts allow', async (t) => {
  const pages = [[disk('C:', '18446744073709551615')], [disk('D:', '007')], [disk('E:', '-3')]];
  const { rig, server } = await started(t, { pages });
  await waitUntil('all', () => rig.emitter.seen.length === 3);
  const { record } = rig.emitter.seen[1]!;
  assert.deepEqual(record, {
    query: 'Win32_LogicalDisk',
    class: 'Win32_LogicalDisk',
    namespace: 'root\\cimv2',
    host: '127.0.0.1',
    properties: {
      ...{ DeviceID: 'D:', Size: '007', Label: 'a < b', Ok: true, None: null, Caps: [3, 4] },
      Since: '2025-11-21T16:39:10Z',
    },
  });
  const size = (at: number): unknown =>
    (rig.emitter.seen[at]!.record['properties'] as Record<string, unknown>)['Size'];
  assert.deepEqual([size(0), size(2)], [2 ** 64, -3]);
  const first = server.envelopes[0]!;
  assert.match(first, /WQL">SELECT \* FROM Win32_LogicalDisk</);
  assert.match(first, /wbem\/wsman\/1\/wmi\/root\/cimv2\/\*/);
  assert.equal(server.authenticated(), 1);
});

test('rows of a projection have the class that was asked for, and names as written', async (t) => {
  const row = '<w:XmlFragment><deviceid>C:</deviceid></w:XmlFragment>';
  const query = { class: 'Win32_LogicalDisk', properties: ['DeviceID'], where: 'Size < 5' };
  const { rig, server } = await started(t, { pages: [[row]] }, { classes: [], queries: [query] });
  await waitUntil('it', () => rig.emitter.seen.length === 1);
  const { record } = rig.emitter.seen[0]!;
  assert.deepEqual(
    [record['class'], record['properties']],
    ['Win32_LogicalDisk', { DeviceID: 'C:' }],
  );
  assert.match(server.envelopes[0]!, /WHERE Size &lt; 5/);
});

test('more rows than rows_max are left, counted, and the server is told', async (t) => {
  const pages = [[disk('C:', '1'), disk('D:', '2')], [disk('E:', '3')]];
  const { rig, server } = await started(t, { pages }, { rows_max: 2 });
  await waitUntil('it', () => server.envelopes.some((text) => text.includes('Release')));
  await waitUntil('rows', () => rig.emitter.seen.length === 2);
  const labels = { query: 'Win32_LogicalDisk', reason: 'rows_max' };
  assert.equal(rig.count('sluice_wmi_rows_refused_total', labels), 1);
});

test('a connection that the server has closed is authenticated again', async (t) => {
  const { rig, server } = await started(t, {}, { interval: 100 });
  await waitUntil('some', () => rig.emitter.seen.length > 1);
  assert.equal(server.authenticated(), 1);
  server.dropConnections();
  const before = rig.emitter.seen.length;
  await waitUntil('more', () => rig.emitter.seen.length > before + 1);
  assert.equal(server.authenticated(), 2);
});

test('a wrong password fails with what to check, and is not in the log', async (t) => {
  const { rig } = await started(t, {}, { password: 'wrong-secret' });
  await waitUntil('it fails', () => failures(rig) === 1);
  assert.match(rig.log.join('\n'), /refuses the account.*Remote Management Users/);
  assert.doesNotMatch(rig.log.join('\n'), /wrong-secret/);
});

test('an answer that is not encrypted is not believed', async (t) => {
  const { rig } = await started(t, { isPlain: true });
  await waitUntil('it fails', () => failures(rig) === 1);
  assert.equal(rig.emitter.seen.length, 0);
});

const wrap = (inner: string): string =>
  `<s:Envelope xmlns:s="s"><s:Body><s:Fault>${inner}</s:Fault></s:Body></s:Envelope>`;

for (const [says, body, expected] of [
  [
    'bad WQL',
    wrap(
      '<s:Detail><p:MSFT_WmiError><p:error_Code>2147749911</p:error_Code></p:MSFT_WmiError></s:Detail>',
    ),
    /no valid WQL.*0x80041017/,
  ],
  ['access denied', wrap('<s:Detail><f:WSManFault Code="5"/></s:Detail>'), /access is denied/],
  [
    'a quota',
    wrap(
      '<s:Detail><f:WSManFault Code="2150859174"><f:Message>Too many shells.</f:Message></f:WSManFault></s:Detail>',
    ),
    /WinRM refuses: Too many shells\. \(2150859174\)/,
  ],
  ['nonsense', '<html>no', /status 500: <html>no/],
  ['an endless document', `${'<a>'.repeat(1000)}`, /status 500/],
] as const) {
  test(`a fault for ${says} is named`, async (t) => {
    const { rig } = await started(t, { fault: { status: 500, body } });
    await waitUntil('it fails', () => failures(rig) === 1);
    assert.match(rig.log.join('\n'), expected);
  });
}

test('a query that hangs on the host costs its own rows only', async (t) => {
  const queries = [
    { name: 'bad', wql: 'SELECT * FROM Hung', timeout: 100 },
    { name: 'good', wql: 'SELECT * FROM Win32_LogicalDisk' },
  ];
  const hangs = (envelope: string): boolean => envelope.includes('Hung');
  const { rig } = await started(t, { hangs }, { classes: [], queries, interval: 50 });
  const timeouts = (): number => rig.count('sluice_collector_timeout_total', { collector: 'bad' });
  await waitUntil('deadlines', () => timeouts() > 1);
  const before = rig.emitter.seen.length;
  await waitUntil('the other goes on', () => rig.emitter.seen.length > before);
  assert.equal(failures(rig, 'good'), 0);
});

test('a host that is not there fails with its address', async (t) => {
  const { rig } = await started(t, {}, { port: 1 });
  await waitUntil('it fails', () => failures(rig) === 1);
  assert.match(rig.log.join('\n'), /127\.0\.0\.1:1/);
});

test('over TLS an NTLM login is bound to the certificate of its connection', async (t) => {
  const { certificate: cert, key } = makeCertificate('localhost');
  const { certificate: other } = makeCertificate('localhost');
  const bindingOf = (pem: string): Buffer => serverEndPoint(new X509Certificate(pem).raw)!;
  const options = { tls: true, host: 'localhost', 'tls.verify': false };
  const bound = { tls: { cert, key }, channelBinding: bindingOf(cert) };
  const { rig, server } = await started(t, bound, options);
  await waitUntil('a row', () => rig.emitter.seen.length === 1);
  assert.equal(server.authenticated(), 1);
  // A server in the middle that shows its own certificate and passes the login on.
  const passedOn = await started(t, { ...bound, channelBinding: bindingOf(other) }, options);
  await waitUntil('it is refused', () => failures(passedOn.rig) === 1);
  assert.equal(passedOn.server.authenticated(), 0);
  assert.match(passedOn.rig.log.join(), /WinRM refuses the account/);
});

for (const authentication of ['ntlm', 'basic'] as const) {
  test(`over TLS, ${authentication} sends messages as they are, to a server that is verified`, async (t) => {
    const authority = makeCertificate('test authority');
    const { certificate: cert, key } = makeCertificate('localhost', authority);
    const directory = mkdtempSync(join(tmpdir(), 'sluice-winrm-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'ca.pem');
    writeFileSync(file, authority.certificate);
    const script = { tls: { cert, key } };
    const options = { authentication, tls: true, host: 'localhost' };
    const { rig, server } = await started(t, script, { ...options, 'tls.ca_file': file });
    await waitUntil('a row', () => rig.emitter.seen.length === 1);
    assert.match(server.envelopes[0]!, /^<s:Envelope/);
    const stranger = await started(t, script, options);
    await waitUntil('it fails', () => failures(stranger.rig) === 1);
    assert.equal(stranger.server.envelopes.length, 0);
  });
}
