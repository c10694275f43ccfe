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
export function geoFields(record: unknown): GeoFields {
  const root = objectOf(record);
  const country = objectOf(root['country'] ?? root['registered_country']);
  const continent = objectOf(root['continent']);
  const city = objectOf(root['city']);
  const [subdivision] = Array.isArray(root['subdivisions']) ? root['subdivisions'] : [];
  const region = objectOf(subdivision);
  const location = objectOf(root['location']);
  const countryCode = textOf(country['iso_code'] ?? root['country_code']);
  const regionCode = textOf(region['iso_code']);
  const fields: GeoFields = {
    continent_code: textOf(continent['code'] ?? root['continent_code']),
    continent_name: nameOf(continent),
    country_iso_code: countryCode,
    country_name: nameOf(country) ?? countryName(countryCode),
    region_iso_code: countryCode && regionCode && `${countryCode}-${regionCode}`,
    region_name: nameOf(region) ?? textOf(root['state1'] ?? root['region']),
    city_name: nameOf(city) ?? textOf(root['city']),
    postal_code: textOf(objectOf(root['postal'])['code'] ?? root['postcode']),
    timezone: textOf(location['time_zone'] ?? root['timezone']),
    location: pointOf(location) ?? pointOf(root),
    asn: root['autonomous_system_number'],
    organization_name: textOf(root['autonomous_system_organization']),
  };
  return fields;
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

/** The English name of a country by its code, where the runtime has it. */
function countryName(code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  try {
    const name = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' }).of(code);
    return name;
  } catch {
    // The code is none of a region, such as `ZZZ`.
    return undefined;
  }
}
