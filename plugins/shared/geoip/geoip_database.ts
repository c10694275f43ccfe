import { importDriver } from '../../../core/sdk/index.ts';
import type { AddressBytes } from './address_bytes.ts';
import { AddressRanges } from './address_ranges.ts';
import { NetworkTree } from './network_tree.ts';

/** A GeoIP database in memory. */
export interface GeoipDatabase {
  /** `GeoLite2-Country`, `country ipvAll`, ... */
  readonly type: string;
  /** The record of an IP address, or null. */
  find(address: string): unknown;
  /** A number that is the same for all addresses with the same record; -1 for none. */
  recordOf(address: AddressBytes): number;
}

/** Opens a MaxMind DB (.mmdb). Throws what is wrong with the bytes. */
export async function openGeoipDatabase(bytes: Buffer): Promise<GeoipDatabase> {
  const { Reader } = await importDriver('mmdb-lib', () => import('mmdb-lib'));
  let reader: InstanceType<typeof Reader<never>>;
  try {
    reader = new Reader<never>(bytes);
  } catch (cause) {
    throw new Error('It is no MaxMind database.', { cause });
  }
  const { databaseType, ipVersion } = reader.metadata;
  const tree = new NetworkTree(bytes, reader.metadata);
  const ranges = new AddressRanges(tree);
  return {
    type: databaseType,
    find(address) {
      if (ipVersion === 4 && address.includes(':')) return null;
      try {
        return reader.get(address);
      } catch {
        // A damaged record is no record.
        return null;
      }
    },
    recordOf: ({ bytes: address, version }) =>
      version === 4 ? ranges.find(address) : tree.find(address, 6),
  };
}
