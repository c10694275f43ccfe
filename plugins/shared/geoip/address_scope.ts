import { BlockList, isIP } from 'node:net';

/** Networks of no place: private, local, shared, reserved for documents or for many at once
 *  (RFC 6890 and its successors in the IANA registries). */
const networks: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
const networks6: readonly (readonly [string, number])[] = [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
];

/** Tells addresses that can be somewhere from those that are everywhere. */
export class AddressScope {
  private readonly local = new BlockList();

  constructor() {
    for (const [network, prefix] of networks) this.local.addSubnet(network, prefix, 'ipv4');
    for (const [network, prefix] of networks6) this.local.addSubnet(network, prefix, 'ipv6');
  }

  /** Local addresses have no place. Expects an address, as `addressOf` gives. */
  isLocal(address: string): boolean {
    return this.local.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
  }
}

/** The IP address that a text is, without a zone, brackets or the wrapping of IPv4 in IPv6;
 *  undefined when it is none. */
export function addressOf(text: string): string | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const zone = bare.indexOf('%');
  const address = zone < 0 ? bare : bare.slice(0, zone);
  const version = isIP(address);
  if (version === 0) return undefined;
  if (version === 4) return address;
  const wrapped = /^(?:0*:)*:?ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return wrapped === null ? address : wrapped[1];
}
