/** Fields that a database can give, as the Elastic Common Schema names them. */
export const geoFieldNames = [
  'continent_code',
  'continent_name',
  'country_iso_code',
  'country_name',
  'region_iso_code',
  'region_name',
  'city_name',
  'postal_code',
  'timezone',
  'location',
  'asn',
  'organization_name',
] as const;

export type GeoFieldName = (typeof geoFieldNames)[number];

export type GeoFields = Partial<Record<GeoFieldName, unknown>>;

type Json = Readonly<Record<string, unknown>>;

/** Reads a record of a database: of MaxMind's shape (country, city, ASN), or flat
 *  (`country_code`, `city`, `latitude`, ...), as the free databases have it. */
export function geoFields(record: unknown, countries: CountryNames): GeoFields {
  const root = objectOf(record);
  const country = objectOf(root['country'] ?? root['registered_country']);
  const continent = objectOf(root['continent']);
  const city = objectOf(root['city']);
  const [subdivision] = Array.isArray(root['subdivisions']) ? root['subdivisions'] : [];
  const region = objectOf(subdivision);
  const location = objectOf(root['location']);
  const countryCode = textOf(country['iso_code'] ?? root['country_code']);
  const regionCode = textOf(region['iso_code']);
  return {
    continent_code: textOf(continent['code'] ?? root['continent_code']),
    continent_name: nameOf(continent),
    country_iso_code: countryCode,
    country_name: nameOf(country) ?? countries.of(countryCode),
    region_iso_code: countryCode && regionCode && `${countryCode}-${regionCode}`,
    region_name: nameOf(region) ?? textOf(root['state1'] ?? root['region']),
    city_name: nameOf(city) ?? textOf(root['city']),
    postal_code: textOf(objectOf(root['postal'])['code'] ?? root['postcode']),
    timezone: textOf(location['time_zone'] ?? root['timezone']),
    location: pointOf(location) ?? pointOf(root),
    asn: root['autonomous_system_number'],
    organization_name: textOf(root['autonomous_system_organization']),
  };
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function nameOf(place: Json): string | undefined {
  return textOf(objectOf(place['names'])['en']);
}

function pointOf({ latitude, longitude }: Json): unknown {
  const lat = Number.parseFloat(String(latitude));
  const lon = Number.parseFloat(String(longitude));
  return Number.isFinite(lat) && Number.isFinite(lon) ? { lon, lat } : undefined;
}

/** English names of countries by their codes, where the runtime has them. */
export class CountryNames {
  private readonly names = new Map<string, string | undefined>();
  private source: Intl.DisplayNames | undefined;

  of(code: string | undefined): string | undefined {
    if (code === undefined) return undefined;
    if (this.names.has(code)) return this.names.get(code);
    const name = this.ask(code);
    if (this.names.size < codesMax) this.names.set(code, name);
    return name;
  }

  private ask(code: string): string | undefined {
    this.source ??= new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
    try {
      return this.source.of(code);
    } catch {
      // It is not the code of a region.
      return undefined;
    }
  }
}

/** There are some 250; a broken database could have any number. */
const codesMax = 1000;
