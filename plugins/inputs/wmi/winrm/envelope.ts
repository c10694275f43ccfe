import { randomUUID } from 'node:crypto';

/** Requests of WS-Management for rows of a WQL query (DSP0226, [MS-WSMV] 3.1.4.1.30). */

const enumeration = 'http://schemas.xmlsoap.org/ws/2004/09/enumeration';
const addressing = 'http://schemas.xmlsoap.org/ws/2004/08/addressing';
const wql = 'http://schemas.microsoft.com/wbem/wsman/1/WQL';
const wmiBase = 'http://schemas.microsoft.com/wbem/wsman/1/wmi';
const envelopeBytesMax = 512_000;
const rowsAtOnce = 500;

export interface EnvelopeTarget {
  /** URL of the listener. */
  readonly to: string;
  readonly namespace: string;
  readonly timeoutMs: number;
}

export function enumerateEnvelope(target: EnvelopeTarget, query: string): string {
  return envelope(
    target,
    'Enumerate',
    `<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>${rowsAtOnce}</w:MaxElements>` +
      `<w:Filter Dialect="${wql}">${escaped(query)}</w:Filter></n:Enumerate>`,
  );
}

export function pullEnvelope(target: EnvelopeTarget, context: string): string {
  return envelope(
    target,
    'Pull',
    `<n:Pull><n:EnumerationContext>${escaped(context)}</n:EnumerationContext>` +
      `<n:MaxElements>${rowsAtOnce}</n:MaxElements></n:Pull>`,
  );
}

/** Lets the server forget an enumeration whose rows are not all wanted. */
export function releaseEnvelope(target: EnvelopeTarget, context: string): string {
  const inner = `<n:EnumerationContext>${escaped(context)}</n:EnumerationContext>`;
  return envelope(target, 'Release', `<n:Release>${inner}</n:Release>`);
}

function envelope(target: EnvelopeTarget, action: string, body: string): string {
  const { to, namespace, timeoutMs } = target;
  const resource = `${wmiBase}/${namespace.replaceAll('\\', '/')}/*`;
  const must = 's:mustUnderstand="true"';
  return (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" ' +
    `xmlns:a="${addressing}" xmlns:n="${enumeration}" ` +
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>' +
    `<a:To>${escaped(to)}</a:To>` +
    `<w:ResourceURI ${must}>${escaped(resource)}</w:ResourceURI>` +
    `<a:ReplyTo><a:Address ${must}>${addressing}/role/anonymous</a:Address></a:ReplyTo>` +
    `<a:Action ${must}>${enumeration}/${action}</a:Action>` +
    `<w:MaxEnvelopeSize ${must}>${envelopeBytesMax}</w:MaxEnvelopeSize>` +
    `<a:MessageID>uuid:${randomUUID()}</a:MessageID>` +
    '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/>' +
    `<w:OperationTimeout>PT${(timeoutMs / 1000).toFixed(3)}S</w:OperationTimeout>` +
    `</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
