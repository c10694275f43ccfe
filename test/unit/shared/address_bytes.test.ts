import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AddressBytes } from '../../../plugins/shared/geoip/address_bytes.ts';
import { AddressScope } from '../../../plugins/shared/geoip/address_scope.ts';
import { openGeoipDatabase } from '../../../plugins/shared/geoip/geoip_database.ts';

const address = new AddressBytes();
const read = (text: string) => address.read(Buffer.from(text), 0, Buffer.byteLength(text));
const almostAddress = fc.stringMatching(/^[0-9a-f:.]{0,24}$/);
const groups = fc.stringMatching(/^(?:[0-9a-fA-F]{0,4}:){0,8}[0-9a-fA-F]{0,4}$/);
const texts = fc.oneof(fc.ipV4(), fc.ipV6(), almostAddress, groups, fc.string());

describe('an address read from bytes', () => {
  it('is what net.isIP takes, but IPv6 with dots or with IPv4 in it', () => {
    const check = fc.property(texts, (text) => {
      const isIPv4Inside = text.includes(':') && (text.includes('.') || /ffff/i.test(text));
      if (isIPv4Inside || text.includes('%')) return;
      assert.equal(read(text) ? address.version : 0, isIP(text), text);
    });
    fc.assert(check, { numRuns: 3000 });
  });

  it('does not take IPv4 mapped into IPv6', () => {
    assert.equal(read('::ffff:808:808'), false);
    assert.equal(read('0:0:0:0:0:ffff:808:808'), false);
  });

  it('is local where the list of networks says so', () => {
    const scope = new AddressScope();
    const near = fc.constantFrom('fc', 'fd', 'fe8', 'febf', 'fec', 'ff', '10', '0', '1');
    const edges = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(near, fc.integer({ min: 0, max: 2 })).map(([first, last]) => `${first}00::${last}`),
      fc.integer({ min: 0, max: 3 }).map((last) => `::${last}`),
      fc
        .tuple(fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 224, 255), fc.nat(255))
        .map(([first, second]) => `${first}.${second}.3.4`),
    );
    const check = fc.property(edges, (text) => {
      if (read(text)) assert.equal(address.isLocal(), scope.isLocal(text), text);
    });
    fc.assert(check, { numRuns: 3000 });
  });

  it('leads to the record that the database library finds', async () => {
    const require = createRequire(import.meta.url);
    const name = '@ip-location-db/geo-whois-asn-country-mmdb';
    const bytes = readFileSync(require.resolve(`${name}/geo-whois-asn-country.mmdb`));
    const database = await openGeoipDatabase(bytes);
    const recordOf = new Map<number, string>();
    const check = fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      if (!read(text)) return;
      const record = database.recordOf(address);
      const found = JSON.stringify(database.find(text) ?? null);
      if (record < 0) assert.equal(found, 'null', text);
      else {
        assert.notEqual(found, 'null', text);
        assert.equal(recordOf.get(record) ?? found, found, text);
        recordOf.set(record, found);
      }
    });
    fc.assert(check, { numRuns: 3000 });
    assert.ok(recordOf.size > 10);
  });
});
