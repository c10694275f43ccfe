import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../../../core/sdk/index.ts';
import { Refusal } from './refusal.ts';
import { tooLarge } from './request_plan.ts';

export interface BodyLimits {
  /** Bytes as sent, of a compressed body. */
  readonly sentBytesMax: number;
  /** Bytes without compression. */
  readonly bytesMax: number;
  /** Silence in the middle of a body. */
  readonly idleMs: number;
}

/** Pieces of a request's body, decompressed. The client waits while nobody asks for the next.
 *  Errors: Refusal with 400 for broken gzip, 408, 413; others when the client goes away. */
export async function* bodyBytes(
  request: IncomingMessage,
  isGzip: boolean,
  limits: BodyLimits,
  clock: Clock,
): AsyncGenerator<Buffer, void, void> {
  const stream = isGzip ? inflated(request, limits) : request;
  // The request outlives its body: its answer is still to be sent.
  const pieces = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  let bytes = 0;
  try {
    for (;;) {
      const next = await nextPiece(pieces, limits, clock);
      if (next.done === true) return;
      bytes += next.value.length;
      if (bytes > limits.bytesMax) throw tooLarge(limits.bytesMax, false);
      yield next.value;
    }
  } finally {
    // Not awaited: while the client is silent it would not resolve.
    pieces.return?.().catch(() => undefined);
    if (isGzip) {
      request.unpipe();
      stream.destroy();
    }
  }
}

function inflated(request: IncomingMessage, limits: BodyLimits): Readable {
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  let sent = 0;
  request.on('data', (piece: Buffer) => {
    sent += piece.length;
    if (sent > limits.sentBytesMax) gunzip.destroy(tooLarge(limits.sentBytesMax, true));
  });
  const goneEarly = () => {
    if (!request.complete) gunzip.destroy(new ClientGone());
  };
  request.once('error', goneEarly);
  request.once('close', goneEarly);
  request.pipe(gunzip);
  return gunzip;
}

async function nextPiece(
  pieces: AsyncIterator<Buffer>,
  limits: BodyLimits,
  clock: Clock,
): Promise<IteratorResult<Buffer>> {
  let cancel = (): void => undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(limits.idleMs, () => {
      reject(new Refusal(408, `Nothing came for ${limits.idleMs} ms in the middle of the body.`));
    });
  });
  try {
    return await Promise.race([pieces.next(), silence]);
  } catch (error) {
    // node:zlib and node:net throw errors with a code.
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) throw new Refusal(400, `The body is not whole gzip: ${message}.`);
    throw error;
  } finally {
    cancel();
  }
}

/** The client closed the connection before its request was whole. */
export class ClientGone extends Error {
  constructor() {
    super('the client went away');
    this.name = 'ClientGone';
  }
}
