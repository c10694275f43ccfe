import {
  ByteWriter,
  type Chunk,
  type Delivery,
  type DeliveryOutcome,
  JsonRecordEncoder,
  messageOf,
  type Output,
  type OutputContext,
  type RecordEncoder,
  SluiceError,
} from '../../../core/sdk/index.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import { writeVarText, writeVarUint } from '../../shared/row_binary/column_codec.ts';
import { canonicalType, parseTypeText } from '../../shared/row_binary/type_text.ts';
import { openClientTls } from '../../shared/tls/tls_client.ts';
import { type Column, compileColumns } from './column.ts';
import type { ClickHouseOptions } from './config.ts';
import { InsertPlan, type Piece } from './insert_plan.ts';
import { RowEncoder } from './row_encoder.ts';
import { type Answer, ClickHouseServer } from './server.ts';
import {
  createDatabaseQuery,
  createTableQuery,
  deduplicationOf,
  tableFactsQuery,
} from './table_facts.ts';
import { quoteName, TableName } from './table_name.ts';
import { rowReason, type Verdict, verdictOf } from './verdict.ts';

/** Chunks that are tried again at a time, at most; the engine has fewer. */
const plansMax = 1000;
/** How long opening waits for a server: the deliveries wait as long as it takes. */
const openMs = 5000;

/** Inserts chunks into ClickHouse tables. */
export class ClickHouseOutput implements Output {
  readonly encoder: RecordEncoder;
  private readonly options: ClickHouseOptions;
  private readonly context: OutputContext;
  private readonly columns: readonly Column[];
  private readonly tableName: TableName;
  /** Bytes before the rows of every insert. */
  private readonly header: Buffer | undefined;
  /** Where chunks stand whose delivery has to go on later. */
  private readonly plans = new Map<string, InsertPlan>();
  private servers: Promise<ClickHouseServer[]> | undefined;
  private turn = 0;

  constructor(options: ClickHouseOptions, context: OutputContext) {
    this.options = options;
    this.context = context;
    this.columns = compileColumns(options, context);
    this.tableName = new TableName(options, context.clock, context.metrics);
    this.encoder = this.makeEncoder();
    this.header = options.format === 'row_binary' ? rowBinaryHeader(this.columns) : undefined;
  }

  /** Connects, and creates the table if that is asked for. A server that is down does not keep the
   *  agent from starting: the first delivery does the rest. */
  async open(): Promise<void> {
    await this.connected();
    const table = this.tableName.fixed;
    if (!this.options.create_table || table === undefined) return;
    try {
      await this.createTable(table, AbortSignal.timeout(openMs));
    } catch (error) {
      this.context.setHealth(messageOf(error));
      this.context.log.warn(
        { table, reason: messageOf(error) },
        'The table could not be created yet; the first delivery does it.',
      );
    }
  }

  async deliver(chunk: Chunk, delivery: Delivery): Promise<DeliveryOutcome> {
    const plan = this.plans.get(chunk.id) ?? new InsertPlan(chunk);
    this.keepPlan(chunk.id, plan);
    for (let piece = plan.next; piece !== undefined; piece = plan.next) {
      const retry = await this.insert(piece, plan, delivery.signal);
      if (retry !== undefined) return retry;
    }
    this.plans.delete(chunk.id);
    const { rejected } = plan;
    if (rejected.length === 0) return { kind: 'accepted' };
    const reason = `${rejected.length} of ${chunk.count} rows were refused`;
    return { kind: 'partial', retry: [], rejected, reason };
  }

  /** Not `open`, which may create the table. */
  async check(): Promise<void> {
    await this.connected();
  }

  /** Looks whether the table is there, and says what sending an insert again leads to. */
  async probe(signal: AbortSignal): Promise<void> {
    const table = this.tableName.fixed;
    const query = table === undefined ? 'SELECT 1' : tableFactsQuery(this.options, table);
    const answer = await (await this.server()).run(query, signal);
    if (answer.code !== 0 || answer.status !== 200) throw this.problem(answer);
    if (table === undefined) return;
    if (answer.text.trim() !== '') {
      const once = deduplicationOf(answer.text) === 'once';
      this.context.log.info(
        { table, delivery: once ? 'once' : 'at least once' },
        once
          ? 'The table remembers inserts: one that is sent again is stored once.'
          : 'The table does not remember inserts (non_replicated_deduplication_window is 0): one that is sent again may be stored twice.',
      );
    } else if (!this.options.create_table) {
      throw new SluiceError(
        'SLUICE_OUTPUT_UNREACHABLE',
        `ClickHouse has no table ${this.options.database}.${table}: create it, or set create_table and columns.`,
      );
    }
  }

  async close(): Promise<void> {
    const servers = this.servers;
    this.servers = undefined;
    this.plans.clear();
    for (const server of (await servers?.catch(() => [])) ?? []) await server.close();
  }

  // ── inserting ───────────────────────────────────────────────────────────────────────────────

  /** Inserts one piece and notes in the plan what became of it; gives an outcome when the chunk
   *  has to be tried again later. */
  private async insert(
    piece: Piece,
    plan: InsertPlan,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome | undefined> {
    const table = this.tableName.fixed ?? piece.table;
    let answer = await this.send(piece, table, signal);
    let verdict = verdictOf(answer, this.context.clock.nowMs());
    if (verdict.kind === 'missing' && this.options.create_table) {
      await this.createTable(table, signal);
      answer = await this.send(piece, table, signal);
      verdict = verdictOf(answer, this.context.clock.nowMs());
    }
    switch (verdict.kind) {
      case 'inserted':
        plan.inserted();
        return undefined;
      case 'bad_row':
        plan.refuse(verdict.row, this.reasonOf(piece, verdict), answer.status);
        return undefined;
      case 'too_large':
        plan.tooLarge(verdict.text, answer.status);
        return undefined;
      case 'missing':
        return { kind: 'retry', reason: verdict.text, status: answer.status };
      case 'later': {
        const { text: reason, afterMs } = verdict;
        return { kind: 'retry', reason, afterMs, status: answer.status };
      }
    }
  }

  private async send(piece: Piece, table: string, signal: AbortSignal): Promise<Answer> {
    const server = await this.server();
    const { header } = this;
    try {
      return await server.insert({
        query: this.insertQuery(table),
        parts: header === undefined ? [piece.body()] : [header, piece.body()],
        settings: {
          input_format_skip_unknown_fields: this.skipsUnknown ? 1 : 0,
          date_time_input_format: 'best_effort',
          ...this.options.settings,
          // Servers since 26.2 would answer before the rows are stored.
          async_insert: 0,
          // An error behind the first bytes of the answer would come with status 200.
          wait_end_of_query: 1,
          insert_deduplication_token: piece.token,
        },
        signal,
      });
    } catch (error) {
      this.turn++;
      throw error;
    }
  }

  private get skipsUnknown(): boolean {
    return this.options.skip_unknown_fields && this.columns.length === 0;
  }

  private insertQuery(table: string): string {
    const target = `${quoteName(this.options.database)}.${quoteName(table)}`;
    const names = this.columns.map(({ name }) => quoteName(name)).join(', ');
    const format =
      this.options.format === 'row_binary' ? 'RowBinaryWithNamesAndTypes' : 'JSONEachRow';
    return `INSERT INTO ${target}${names === '' ? '' : ` (${names})`} FORMAT ${format}`;
  }

  private reasonOf(piece: Piece, verdict: Extract<Verdict, { kind: 'bad_row' }>): string {
    const row = verdict.row ?? (piece.count === 1 ? 0 : undefined);
    if (row === undefined || row >= piece.count) return verdict.text;
    const record = Buffer.from(this.encoder.recordJson(piece.recordAt(row)));
    return rowReason(record, verdict.text, verdict.fullText);
  }

  private keepPlan(id: string, plan: InsertPlan): void {
    this.plans.set(id, plan);
    if (this.plans.size <= plansMax) return;
    for (const oldest of this.plans.keys()) {
      this.plans.delete(oldest);
      break;
    }
  }

  // ── servers and tables ──────────────────────────────────────────────────────────────────────

  private async createTable(table: string, signal: AbortSignal): Promise<void> {
    const server = await this.server();
    const query = createTableQuery(this.options, table);
    let answer = await server.run(query, signal);
    if (answer.code === 81) {
      const made = await server.run(createDatabaseQuery(this.options), signal);
      if (made.code !== 0) throw this.problem(made);
      answer = await server.run(query, signal);
    }
    if (answer.code !== 0 || answer.status !== 200) throw this.problem(answer);
  }

  private problem(answer: Answer): SluiceError {
    const verdict = verdictOf(answer, this.context.clock.nowMs());
    const text = 'text' in verdict ? verdict.text : `HTTP ${answer.status}`;
    return new SluiceError('SLUICE_OUTPUT_UNREACHABLE', `ClickHouse says: ${text}`);
  }

  /** The server in turn: the next one after each that gave no answer. */
  private async server(): Promise<ClickHouseServer> {
    const servers = await this.connected();
    return servers[this.turn % servers.length]!;
  }

  private connected(): Promise<ClickHouseServer[]> {
    this.servers ??= this.connect();
    return this.servers;
  }

  private async connect(): Promise<ClickHouseServer[]> {
    const { options, context } = this;
    const hosts = options.hosts ?? [options.host];
    const addresses = hosts.map((host) =>
      parseAddress(host, { port: options.port, isTls: context.tls.enabled }),
    );
    const needsTls = context.tls.enabled || addresses.some(({ isTls }) => isTls);
    const tls = needsTls ? await openClientTls(context.tls, context) : undefined;
    return Promise.all(
      addresses.map((address) => {
        return ClickHouseServer.connect({
          origin: address.origin,
          path: address.path,
          user: options.user,
          password: options.password?.reveal() ?? '',
          compress: options.compress === 'gzip',
          responseTimeoutMs: options['http.response_timeout'],
          connectionsMax: 64,
          tls: address.isTls ? tls : undefined,
          clock: context.clock,
        });
      }),
    );
  }

  // ── encoding ────────────────────────────────────────────────────────────────────────────────

  private makeEncoder(): RecordEncoder {
    const { options, context, columns, tableName } = this;
    const { format, time_key: timeKey } = options;
    const shape = columns.map(({ name, type, field }) => [name, type, field.name]);
    const fingerprint = JSON.stringify(['clickhouse', 1, format, timeKey, options.table, shape]);
    const sectionKey =
      tableName.fixed === undefined
        ? (...at: Parameters<TableName['of']>) => tableName.of(...at)
        : undefined;
    if (columns.length > 0) {
      return new RowEncoder({
        fingerprint,
        columns,
        format,
        ...(context.kernel === undefined ? {} : { kernel: context.kernel }),
        ...(sectionKey === undefined ? {} : { sectionKey }),
      });
    }
    return new JsonRecordEncoder({
      fingerprint,
      suffix: Buffer.from('\n'),
      ...(context.kernel === undefined ? {} : { kernel: context.kernel }),
      ...(sectionKey === undefined ? {} : { sectionKey }),
      ...(timeKey === '' ? {} : { time: { key: timeKey, format: { form: 'iso8601', digits: 9 } } }),
    });
  }
}

/** Names and types before the rows: the server compares them with the table's, so that a table that
 *  was changed is an error and never misread bytes. */
function rowBinaryHeader(columns: readonly Column[]): Buffer {
  const out = new ByteWriter(1024);
  writeVarUint(out, columns.length);
  for (const { name } of columns) writeVarText(out, name);
  for (const { type } of columns) writeVarText(out, canonicalType(parseTypeText(type)));
  return Buffer.from(out.view());
}
