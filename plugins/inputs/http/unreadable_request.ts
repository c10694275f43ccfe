import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

const statusOf: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Ends a connection whose bytes are no request: too long a head, none in time, or garbage; answers
 *  unless an answer is being written already. Gives the status, or nothing when the client went
 *  away by itself. */
export function refuseBytes(
  error: NodeJS.ErrnoException,
  socket: Socket,
  last: ServerResponse | undefined,
): number | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const status = statusOf[error.code ?? ''] ?? 400;
  const isBetween = last === undefined || last.writableFinished || !last.headersSent;
  if (isBetween) {
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
  }
  socket.destroySoon();
  return status;
}
