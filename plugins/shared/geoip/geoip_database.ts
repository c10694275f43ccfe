import { importDriver } from '../../../core/sdk/index.ts';

/** A GeoIP database in memory. */
export interface GeoipDatabase {
  /** `GeoLite2-Country`, `country ipvAll`, ... */
  readonly type: string;
  /** The record of an IP address, or null. */
  find(address: string): unknown;
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
  };
}
