import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/** `limit_program.js FILE PORT RATIO`: sends RATIO bytes (1 or more) to a `_bulk` server for each byte of
 *  a file: its lines as they are, and blanks. */
const blockBytes = 256 * 1024;
/** What a socket takes at once. Of a larger body the rest is sent whenever the sink has made a little
 *  room, and who only waits for that is woken for each bit of it. */
const bodyBytes = 1024 * 1024;

async function main(path: string, port: number, ratio: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const file = openSync(path, 'r');
  const block = Buffer.allocUnsafeSlow(blockBytes);
  const blanks = Buffer.alloc(Math.ceil(blockBytes * (ratio - 1)), ' ');
  const body = Buffer.allocUnsafeSlow(bodyBytes);
  let filled = 0;
  for (let position = 0; ; ) {
    const read = readSync(file, block, 0, blockBytes, position);
    // Whole lines, so that no number is cut.
    const end = block.subarray(0, read).lastIndexOf(10) + 1;
    if (end === 0) break;
    position += end;
    const wanted = Math.floor(end * ratio);
    if (filled + wanted > bodyBytes) {
      await send(socket, body.subarray(0, filled));
      filled = 0;
    }
    block.copy(body, filled, 0, end);
    blanks.copy(body, filled + end, 0, wanted - end);
    filled += wanted;
  }
  if (filled > 0) await send(socket, body.subarray(0, filled));
  closeSync(file);
  socket.end();
}

/** One request; waits until its answer is whole. */
async function send(socket: Socket, body: Buffer): Promise<void> {
  socket.cork();
  socket.write(`POST /_bulk HTTP/1.1\r\nhost: bench\r\ncontent-length: ${body.length}\r\n\r\n`);
  socket.write(body);
  socket.uncork();
  for (let answer = ''; !isWhole(answer); ) {
    const [part] = (await once(socket, 'data')) as [Buffer];
    answer += part.toString('latin1');
  }
}

function isWhole(answer: string): boolean {
  const bodyAt = answer.indexOf('\r\n\r\n') + 4;
  const length = /^content-length: (\d+)/im.exec(answer)?.[1];
  return bodyAt > 3 && answer.length - bodyAt >= Number(length ?? 0);
}

const [path, port, ratio] = process.argv.slice(2);
await main(path!, Number(port), Number(ratio));
