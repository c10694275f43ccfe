import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import {
  type BatchEmitter,
  fieldOf,
  type Input,
  type InputContext,
  JsonValidator,
  messageOf,
  SluiceError,
} from '../../../core/sdk/index.ts';
import { type Answer, refusalAnswer, send } from './answer.ts';
import { Authorization } from './authorization.ts';
import type { HeldBytes } from './body_window.ts';
import type { HttpInputOptions } from './config.ts';
import { answerRequest, type RequestServices } from './http_request.ts';
import { busy, Refusal, unavailable } from './refusal.ts';
import { planRequest } from './request_plan.ts';
import { openServerTls } from './server_tls.ts';
import { refuseBytes } from './unreadable_request.ts';

const headerBytesMax = 16 * 1024;
/** Bytes that a connection reads ahead while its records wait. */
const readAheadBytes = 256 * 1024;
const replyMsMax = 1000;
/** Certificates are looked at this often. */
const certificatesMs = 5000;

/** An HTTP server whose requests are sources: each gets an answer for its own records.
 *
 *  Bodies are read as the pipeline takes their records; a client that sends faster is made to
 *  wait by TCP. */
export class HttpInput implements Input {
  private readonly options: HttpInputOptions;
  private readonly context: InputContext;
  private readonly authorization: Authorization;
  private readonly held: HeldBytes;
  private readonly inProgress = new Set<Promise<void>>();
  private readonly deadline = new AbortController();
  private server: Server | undefined;
  private services: RequestServices | undefined;
  private validator: JsonValidator | undefined;
  private isStopping = false;
  private forgetCertificates: (() => void) | undefined;
  /** What each connection was answered last. */
  private readonly answers = new WeakMap<Socket, ServerResponse>();

  constructor(options: HttpInputOptions, context: InputContext) {
    this.options = options;
    this.context = context;
    this.authorization = new Authorization(options);
    this.held = { bytes: 0, bytesMax: options.unfinished_bytes_max };
  }

  /** The port that it listens on; 0 before `open`. */
  get port(): number {
    const address = this.server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Errors: SLUICE_LISTEN_FAILED, SLUICE_OPTION_INVALID for the files of `tls.*`. */
  async open(): Promise<void> {
    const { options } = this;
    const settings = {
      maxHeaderSize: headerBytesMax,
      highWaterMark: readAheadBytes,
      headersTimeout: options.header_timeout,
      requestTimeout: options.request_timeout,
      keepAliveTimeout: options.idle_timeout,
      connectionsCheckingInterval: 1000,
    };
    const server = options.tls ? await this.tlsServer(settings) : createServer(settings);
    server.maxConnections = options.connections_max;
    server.on('drop', () => this.countRequest('dropped'));
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const status = refuseBytes(error, socket, this.answers.get(socket));
      if (status !== undefined) this.countRequest(String(status));
    });
    server.on('request', (request, response) => this.handle(request, response, false));
    server.on('checkContinue', (request, response) => this.handle(request, response, true));
    this.server = server;
    await listen(server, options);
    this.announce();
  }

  private announce(): void {
    const { options, context } = this;
    const address = `${options.listen}:${this.port}`;
    context.log.info({ address }, 'The http input listens.');
    if (this.authorization.isOpen && !isLoopback(options.listen)) {
      context.log.warn({ address }, 'Anybody who reaches this address may send: set a token.');
    }
  }

  /** A server whose certificates change without a restart. */
  private async tlsServer(settings: ServerOptions): Promise<TlsServer> {
    const { options, context } = this;
    const files = await openServerTls(options, context);
    let used = await files.current(context.clock.monotonicMs());
    // Whoever does not get to the end of the handshake is as slow as one who sends no headers.
    const handshakeTimeout = options.header_timeout;
    const server = createTlsServer({ ...settings, handshakeTimeout, ...used });
    this.forgetCertificates = context.clock.every(certificatesMs, () => {
      files
        .current(context.clock.monotonicMs())
        .then((settings) => {
          if (settings !== used) server.setSecureContext(settings);
          used = settings;
        })
        .catch((error) => context.log.warn({ error: messageOf(error) }, 'Certificates stay.'));
    });
    return server;
  }

  private countRequest(status: string): void {
    this.context.metrics.counter('sluice_http_input_requests_total', { status }).value++;
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    this.services = this.makeServices(emitter);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.isStopping = true;
    this.server?.close();
    await this.drain();
  }

  async close(): Promise<void> {
    this.isStopping = true;
    this.deadline.abort();
    await Promise.allSettled(this.inProgress);
    const { server } = this;
    this.forgetCertificates?.();
    this.server = undefined;
    if (server !== undefined) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    }
    this.validator?.close();
    this.validator = undefined;
  }

  /** Lets requests in progress end by themselves, for a while. */
  private async drain(): Promise<void> {
    const { clock } = this.context;
    const cancel = clock.after(this.options.drain_timeout, () => this.deadline.abort());
    await Promise.allSettled(this.inProgress);
    cancel();
    this.deadline.abort();
    this.server?.closeIdleConnections();
  }

  private makeServices(emitter: BatchEmitter): RequestServices {
    const { context, options } = this;
    this.validator = new JsonValidator(context.kernel);
    const { ack, successful_response_code: code } = options;
    return {
      options,
      context,
      held: this.held,
      deadline: this.deadline.signal,
      success: {
        status: code ?? (ack === 'accepted' ? 202 : 200),
        headers: readHeaders(options.success_header ?? []),
      },
      taking: {
        emitter,
        clock: context.clock,
        validator: this.validator,
        lineField: fieldOf([options.key]),
        tagField: options.tag_key === undefined ? undefined : context.field(options.tag_key),
        recordBytesMax: context.service.eventBytesMax,
        busyTimeoutMs: options.busy_timeout,
        invalidTexts: context.metrics.counter('sluice_input_invalid_utf8_lines_total'),
        hasEnded: () => this.deadline.signal.aborted,
      },
    };
  }

  private handle(request: IncomingMessage, response: ServerResponse, expects: boolean): void {
    // What breaks a connection ends its request; there is nobody to tell.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    this.answers.set(request.socket, response);
    const work = this.answer(request, response, expects)
      .then((answer) => this.reply(request, response, answer))
      .catch((error) => {
        this.context.log.error({ error: messageOf(error) }, 'A request failed.');
        request.destroy();
      })
      .finally(() => this.inProgress.delete(work));
    this.inProgress.add(work);
  }

  private async answer(
    request: IncomingMessage,
    response: ServerResponse,
    expects: boolean,
  ): Promise<Answer | undefined> {
    try {
      const { services } = this;
      if (services === undefined || this.isStopping) throw unavailable('The agent is not ready.');
      this.authorization.check(request.headers.authorization);
      const plan = planRequest(request, this.options, this.context.tag);
      if (this.inProgress.size >= this.options.requests_max) {
        throw busy(`There are ${this.options.requests_max} requests in progress already.`);
      }
      if (expects) response.writeContinue();
      return await answerRequest(request, response, plan, services);
    } catch (error) {
      if (error instanceof Refusal) return refusalAnswer(error, undefined);
      throw error;
    }
  }

  private async reply(
    request: IncomingMessage,
    response: ServerResponse,
    answer: Answer | undefined,
  ): Promise<void> {
    this.countRequest(answer === undefined ? 'gone' : String(answer.status));
    if (answer === undefined) return;
    const rejected = Number(answer.body['rejected'] ?? 0);
    this.context.metrics.counter('sluice_http_input_records_rejected_total').value += rejected;
    send(request, response, answer, this.isStopping || answer.status === 408);
    // A client that does not read must not keep the agent.
    const signal = AbortSignal.timeout(replyMsMax);
    await finished(response, { cleanup: true, signal }).catch(() => undefined);
  }
}

async function listen(server: Server, options: HttpInputOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error) => {
      const place = `${options.listen}:${options.port}`;
      const text = `The http input cannot listen on ${place} (${messageOf(cause)}): choose another listen or port.`;
      reject(new SluiceError('SLUICE_LISTEN_FAILED', text, { cause }));
    };
    server.once('error', fail);
    server.listen(options.port, options.listen, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}

/** `Name value` each. */
function readHeaders(entries: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const entry of entries) {
    const [, name, value] = /^(\S+)\s+(.*)$/.exec(entry.trim()) ?? [];
    if (name !== undefined && value !== undefined) headers[name] = value;
  }
  return headers;
}
