import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressRanges } from '../../../plugins/shared/geoip/address_ranges.ts';
import { NetworkTree } from '../../../plugins/shared/geoip/network_tree.ts';
import { AddressScope, addressOf } from '../../../plugins/shared/geoip/address_scope.ts';
import { CountryNames, geoFields } from '../../../plugins/shared/geoip/geo_fields.ts';
import { openGeoipDatabase } from '../../../plugins/shared/geoip/geoip_database.ts';

describe('an address', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['8.8.8.8', '8.8.8.8'],
    ['::ffff:8.8.8.8', '8.8.8.8'],
    ['0:0:0:0:0:ffff:8.8.8.8', '8.8.8.8'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['8.8.8', undefined],
    ['256.1.1.1', undefined],
    ['', undefined],
    ['example.com', undefined],
  ];
  for (const [text, address] of cases) {
    it(`of ${JSON.stringify(text)} is ${address}`, () => assert.equal(addressOf(text), address));
  }

  const scope = new AddressScope();
  for (const local of [
    '10.0.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '127.0.0.1',
    '::1',
    '::',
    'fd00::1',
    '169.254.0.1',
    '100.64.0.1',
  ]) {
    it(`${local} is local`, () => assert.equal(scope.isLocal(local), true));
  }
  for (const global of ['8.8.8.8', '172.32.0.1', '11.0.0.1', '2001:4860::1', '100.128.0.1']) {
    it(`${global} is not local`, () => assert.equal(scope.isLocal(global), false));
  }
});

describe('the fields of a record', () => {
  const names = new CountryNames();
  const defined = (record: unknown) =>
    Object.fromEntries(Object.entries(geoFields(record, names)).filter(([, v]) => v !== undefined));

  it('come from databases of cities', () => {
    const record = {
      continent: { code: 'EU', names: { en: 'Europe', de: 'Europa' } },
      country: { iso_code: 'DE', names: { en: 'Germany' } },
      subdivisions: [{ iso_code: 'BE', names: { en: 'Land Berlin' } }],
      city: { names: { en: 'Berlin' } },
      postal: { code: '10115' },
      location: { latitude: 52.5, longitude: 13.4, time_zone: 'Europe/Berlin', accuracy_radius: 5 },
    };
    assert.deepEqual(defined(record), {
      continent_code: 'EU',
      continent_name: 'Europe',
      country_iso_code: 'DE',
      country_name: 'Germany',
      region_iso_code: 'DE-BE',
      region_name: 'Land Berlin',
      city_name: 'Berlin',
      postal_code: '10115',
      timezone: 'Europe/Berlin',
      location: { lon: 13.4, lat: 52.5 },
    });
  });

  it('come from flat databases and from those of networks', () => {
    assert.deepEqual(defined({ country_code: 'JP' }), {
      country_iso_code: 'JP',
      country_name: 'Japan',
    });
    assert.deepEqual(
      defined({ city: 'Oslo', latitude: '59.9', longitude: '10.7', country_code: 'ZZZZ' }),
      { city_name: 'Oslo', location: { lon: 10.7, lat: 59.9 }, country_iso_code: 'ZZZZ' },
    );
    assert.deepEqual(
      defined({ autonomous_system_number: 15169, autonomous_system_organization: 'Google' }),
      { asn: 15169, organization_name: 'Google' },
    );
  });

  it('are none where a record is something else', () => {
    for (const record of [null, 'x', 1, [], { country: 1, subdivisions: [null] }]) {
      assert.deepEqual(defined(record), {});
    }
  });
});

it('bytes that are no database are refused', async () => {
  await assert.rejects(openGeoipDatabase(Buffer.from('nonsense')), /no MaxMind database/);
});

describe('the ranges of a database', () => {
  it('have for every address what the tree has', () => {
    const tree = treeOf([
      ['1.0.0.0/8', 3],
      ['1.2.0.0/16', 5],
      ['1.2.3.0/24', 7],
      ['1.2.3.4/32', 9],
      ['1.2.3.128/25', 7],
      ['255.255.255.255/32', 4],
    ]);
    const ranges = new AddressRanges(tree);
    for (const third of [0, 2, 3, 4, 255]) {
      for (let last = 0; last < 256; last++) {
        for (const [first, second] of [
          [1, 2],
          [1, 3],
          [2, 2],
          [255, 255],
        ]) {
          const address = Uint8Array.of(first!, second!, third, last);
          assert.equal(ranges.find(address), tree.find(address, 4), address.join('.'));
        }
      }
    }
  });
});

/** A search tree of 32-bit records (no data behind it) with these networks; wide ones come first. */
function treeOf(networks: readonly (readonly [string, number])[]): NetworkTree {
  const nodes: [number, number][] = [[-1, -1]];
  for (const [network, answer] of networks) {
    const [address, length] = network.split('/');
    const bits = address!
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
      .slice(0, Number(length));
    let node = 0;
    for (const [i, bit] of [...bits].entries()) {
      const side = Number(bit) as 0 | 1;
      if (i === bits.length - 1) {
        nodes[node]![side] = -1 - answer;
        break;
      }
      const next = nodes[node]![side];
      if (next < 0) nodes[node]![side] = nodes.push([next, next]) - 1;
      node = nodes[node]![side];
    }
  }
  // Below 0: nothing, or an answer.
  const nodeCount = nodes.length;
  const bytes = Buffer.alloc(nodeCount * 8);
  for (const [i, sides] of nodes.entries()) {
    for (const [side, to] of sides.entries()) {
      bytes.writeUInt32BE(to >= 0 ? to : nodeCount - 1 - to, i * 8 + side * 4);
    }
  }
  return new NetworkTree(bytes, { nodeCount, recordSize: 32, ipVersion: 4 });
}
