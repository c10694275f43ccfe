import { resolve } from 'node:path';
import type { PluginContext } from '../../../core/sdk/index.ts';
import { AddressBytes } from '../../shared/geoip/address_bytes.ts';
import { AddressScope, addressOf } from '../../shared/geoip/address_scope.ts';
import { CountryNames, geoFields } from '../../shared/geoip/geo_fields.ts';
import { type GeoipDatabase, openGeoipDatabase } from '../../shared/geoip/geoip_database.ts';
import { type LookupTable, readLookupTable } from '../../shared/lookup_table/lookup_table.ts';
import { WatchedFile } from '../../shared/lookup_table/watched_file.ts';
import type { DigitTemplate } from '../../shared/user_agent/digit_template.ts';
import {
  loadUserAgentParser,
  type UserAgentParser,
} from '../../shared/user_agent/user_agent_parser.ts';
import type { GeoipOptions, LookupOptions } from './config.ts';
import { noPlace, type ValueSource } from './keyed_enrichment.ts';

const tableBytesMax = 64 * 1024 * 1024;
const databaseBytesMax = 512 * 1024 * 1024;

/** Answers from a table in a file. */
export class TableSource implements ValueSource {
  private readonly file: WatchedFile<LookupTable>;

  constructor(options: LookupOptions, context: PluginContext, pollMs: number) {
    const format = options.format ?? (/\.json$/i.test(options.file) ? 'json' : 'csv');
    const { key_column: keyColumn, columns } = options;
    this.file = new WatchedFile({
      path: resolve(context.baseDirectory, options.file),
      bytesMax: tableBytesMax,
      pollMs,
      clock: context.clock,
      log: context.log,
      load: (bytes) => readLookupTable(bytes, { format, keyColumn, columns }),
    });
  }

  open(): Promise<void> {
    return this.file.open();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  get state(): unknown {
    return this.file.content;
  }

  find(key: string): string | undefined {
    return this.file.content.get(key);
  }
}

/** Answers from a GeoIP database. */
export class GeoipSource implements ValueSource {
  private readonly file: WatchedFile<GeoipDatabase>;
  private readonly scope = new AddressScope();
  private readonly address = new AddressBytes();
  private readonly countries = new CountryNames();
  private readonly fields: ReadonlySet<string> | undefined;

  constructor(options: GeoipOptions, context: PluginContext, pollMs: number) {
    if (options.fields !== undefined) this.fields = new Set(options.fields);
    this.file = new WatchedFile({
      path: resolve(context.baseDirectory, options.database),
      bytesMax: databaseBytesMax,
      pollMs,
      clock: context.clock,
      log: context.log,
      load: openGeoipDatabase,
    });
  }

  open(): Promise<void> {
    return this.file.open();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  get state(): unknown {
    return this.file.content;
  }

  find(key: string): string | undefined | null {
    const address = addressOf(key);
    if (address === undefined) return undefined;
    if (this.scope.isLocal(address)) return null;
    const record = this.file.content.find(address);
    if (record === null || record === undefined) return undefined;
    const found = Object.entries(geoFields(record, this.countries)).filter(
      ([name, value]) =>
        value !== undefined && (this.fields === undefined || this.fields.has(name)),
    );
    return found.length === 0 ? undefined : JSON.stringify(Object.fromEntries(found));
  }

  placeOf(bytes: Buffer, start: number, end: number): number {
    // hot path
    const { address } = this;
    if (!address.read(bytes, start, end)) return noPlace.unknown;
    if (address.isLocal()) return noPlace.unexpected;
    // -1 is `noPlace.missing`.
    return this.file.content.recordOf(address);
  }
}

/** Answers from the rules about user agents. */
export class UserAgentSource implements ValueSource {
  private parser: UserAgentParser | undefined;

  async open(): Promise<void> {
    this.parser = await loadUserAgentParser();
  }

  get state(): unknown {
    return this.parser;
  }

  find(key: string): string | undefined | null {
    if (this.parser === undefined || key === '' || key === '-' || key === '"-"') return null;
    return JSON.stringify(this.parser.parse(key));
  }

  findAt(bytes: Buffer, start: number, end: number): string | null {
    const { parser } = this;
    if (parser === undefined || isNoAgent(bytes, start, end)) return null;
    return JSON.stringify(parser.parseAt(bytes, start, end));
  }

  templateAt(bytes: Buffer, start: number, end: number): DigitTemplate | undefined {
    // hot path
    return isNoAgent(bytes, start, end) ? undefined : this.parser?.templateAt(bytes, start, end);
  }
}

/** Nothing, `-` or `"-"`. */
function isNoAgent(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0 || (length === 1 && bytes[start] === 0x2d)) return true;
  return length === 3 && bytes[start] === 0x22 && bytes.latin1Slice(start, end) === '"-"';
}
