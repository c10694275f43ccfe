import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type Batch, heapBatch } from '../../../core/batch/batch.ts';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { JsonEventEncoder } from '../../../core/batch/json_encode.ts';
import type { Source } from '../../../core/batch/source.ts';
import type {
  BatchEmitter,
  InputContext,
  OpenSource,
  SourceOptions,
} from '../../../core/sdk/contracts.ts';
import type { HttpInputOptions } from '../../../plugins/inputs/http/config.ts';
import { HttpInput } from '../../../plugins/inputs/http/http_input.ts';
import { testContext } from '../parsers/parsing_fixture.ts';

export interface SentRecord {
  readonly text: string;
  readonly tag: string;
  readonly generation: string;
  readonly offset: number;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

const defaults: HttpInputOptions = {
  listen: '127.0.0.1',
  port: 0,
  key: 'log',
  ack: 'settled',
  tag_from_path: true,
  request_bytes_max: 10e6,
  decompressed_bytes_max: 100e6,
  requests_max: 256,
  connections_max: 1024,
  unfinished_bytes_max: 64e6,
  busy_timeout: 5000,
  settle_timeout: 60_000,
  header_timeout: 10_000,
  request_timeout: 300_000,
  idle_timeout: 60_000,
  drain_timeout: 2000,
  tls: false,
  'tls.verify_client_cert': false,
};

/** An http input without an engine behind it: batches settle at once, or when told to. */
export class HttpRig implements BatchEmitter {
  readonly sent: SentRecord[] = [];
  batches = 0;
  largestBatchBytes = 0;
  /** Batches in use at once, at most. */
  settles = true;
  readonly input: HttpInput;
  private readonly sources = new Map<Source, SourceOptions>();
  private readonly waiting: { source: Source; position: number }[] = [];
  private readonly stopper = new AbortController();
  private readonly encoder = new JsonEventEncoder();
  private readonly out = new ByteWriter();
  private readonly slotBytes: number;
  private gate: Promise<void> | undefined;
  private openGate = (): void => undefined;
  private done: Promise<void> = Promise.resolve();

  private constructor(options: Partial<HttpInputOptions>, shape: RigShape) {
    this.slotBytes = shape.slotBytes ?? 512 * 1024;
    const context = testContext();
    this.input = new HttpInput({ ...defaults, ...options }, {
      ...context,
      id: 'http.0',
      tag: 'http.0',
      service: { ...context.service, eventBytesMax: shape.eventBytesMax ?? 1e6 },
      sources: {
        open: async (sourceOptions: SourceOptions) => this.openSource(sourceOptions),
        checkpoints: () => new Map(),
        forget: () => undefined,
      },
    } as InputContext);
  }

  static async start(
    options: Partial<HttpInputOptions> = {},
    shape: RigShape = {},
  ): Promise<HttpRig> {
    const rig = new HttpRig(options, shape);
    await rig.input.open();
    rig.done = rig.input.run(rig, rig.stopper.signal);
    return rig;
  }

  get texts(): string[] {
    return this.sent.map(({ text }) => text);
  }

  get openSources(): number {
    return this.sources.size;
  }

  /** Hands out no batches, as when all outputs are full. */
  block(): void {
    this.gate = new Promise((resolve) => {
      this.openGate = resolve;
    });
  }

  unblock(): void {
    this.gate = undefined;
    this.openGate();
  }

  /** Settles what is waiting, and what comes. */
  settleAll(): void {
    this.settles = true;
    for (const { source, position } of this.waiting.splice(0)) {
      this.sources.get(source)?.onSettled?.(position);
    }
  }

  get unsettled(): number {
    return this.waiting.length;
  }

  abort(): void {
    this.stopper.abort();
  }

  async stop(): Promise<void> {
    this.stopper.abort();
    await this.done;
    await this.input.close();
  }

  post(
    body: string | Buffer,
    headers: Record<string, string> = {},
    path = '/',
    method = 'POST',
  ): Promise<TestAnswer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: this.input.port, method, path, headers, agent: false },
        (response) => {
          const pieces: Buffer[] = [];
          response.on('data', (piece: Buffer) => pieces.push(piece));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(pieces).toString();
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
            });
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  // ── BatchEmitter ──────────────────────────────────────────────────────────────────────────

  async batch(source: Source, tag: string, dataBytes = 0): Promise<Batch> {
    while (this.gate !== undefined) await this.gate;
    this.largestBatchBytes = Math.max(this.largestBatchBytes, dataBytes);
    const batch = heapBatch(
      Math.max(dataBytes, this.slotBytes),
      dataBytes > this.slotBytes ? 64 : 2048,
    );
    batch.reset(source, tag);
    return batch;
  }

  async emit(batch: Batch): Promise<void> {
    this.batches++;
    for (let i = 0; i < batch.count; i++) {
      this.out.clear();
      this.encoder.write(batch, i, this.out);
      this.sent.push({
        text: this.out.view().toString(),
        tag: batch.tagName(i),
        generation: batch.source.generation,
        offset: batch.offset[i]!,
      });
    }
    this.waiting.push({ source: batch.source, position: batch.positionEnd });
    if (this.settles) this.settleAll();
  }

  discard(): void {}

  private openSource(options: SourceOptions): OpenSource {
    const source: OpenSource = {
      name: options.name,
      inputId: 'test',
      generation: options.generation ?? 'random',
      resumePosition: 0,
      ledger: undefined as unknown as Source['ledger'],
      settledPosition: () => 0,
      close: () => {
        this.sources.delete(source);
      },
    };
    this.sources.set(source, options);
    return source;
  }
}

interface RigShape {
  readonly slotBytes?: number;
  readonly eventBytesMax?: number;
}

/** Runs a test on a rig of its own. */
export async function withRig(
  work: (rig: HttpRig) => Promise<void>,
  options: Partial<HttpInputOptions> = {},
  shape: RigShape = {},
): Promise<void> {
  const rig = await HttpRig.start(options, shape);
  try {
    await work(rig);
  } finally {
    rig.unblock();
    rig.settleAll();
    await rig.stop();
  }
}
