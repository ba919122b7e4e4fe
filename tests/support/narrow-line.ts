/** A line of so many bytes a second to a server: all connections share it, in small turns. */

import { connect as connectTo, createServer, type Socket } from 'node:net';

export interface NarrowLine {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** Bytes that came down the line so far. */
  readonly bytes: number;
  /** Changes how many bytes a second it takes. */
  setRate(bytesPerSecond: number): void;
  close(): Promise<void>;
}

/** Bytes of one turn: small, so that a short answer does not wait behind a long one. */
const turn = 8 << 10;
/** Milliseconds between two looks at what may be sent. */
const interval = 10;

export async function startNarrowLine(
  upstream: { readonly host: string },
  bytesPerSecond: number,
): Promise<NarrowLine> {
  const [hostname, port] = upstream.host.split(':');
  const sockets = new Set<Socket>();
  /** Connections with bytes to send, whose turn comes round. */
  const waiting: { readonly to: Socket; readonly pieces: Buffer[]; readonly resume: () => void }[] = [];
  let rate = bytesPerSecond;
  let allowance = 0;
  let bytes = 0;
  let last = Date.now();

  const timer = setInterval(() => {
    const now = Date.now();
    allowance = Math.min(allowance + ((now - last) / 1000) * rate, rate / 5);
    last = now;
    // who cannot take more keeps its place and costs the others nothing
    for (let passed = 0; allowance > 0 && passed < waiting.length; ) {
      const next = waiting.shift();
      if (next === undefined) break;
      const [piece] = next.pieces;
      if (piece === undefined || next.to.destroyed) {
        next.resume();
        continue;
      }
      if (next.to.writableNeedDrain) {
        waiting.push(next);
        passed += 1;
        continue;
      }
      const part = piece.subarray(0, turn);
      next.to.write(part);
      allowance -= part.length;
      bytes += part.length;
      if (part.length === piece.length) next.pieces.shift();
      else next.pieces[0] = piece.subarray(part.length);
      waiting.push(next);
      passed = 0;
    }
  }, interval);

  const server = createServer((client) => {
    const real = connectTo({ host: hostname, port: Number(port) });
    for (const socket of [client, real]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => undefined); // the other end is told by the close that follows
    }
    client.pipe(real);
    real.on('data', (piece: Buffer) => {
      real.pause();
      waiting.push({ to: client, pieces: [piece], resume: () => real.resume() });
    });
    real.once('end', () => {
      const end = () => (waiting.some(({ to }) => to === client) ? setTimeout(end, interval) : client.end());
      end();
    });
    client.once('close', () => real.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    host: `127.0.0.1:${address.port}`,
    get bytes() {
      return bytes;
    },
    setRate: (next) => {
      rate = next;
    },
    close: async () => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
