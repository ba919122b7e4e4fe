/** Ports for servers of the system, which cannot be handed a socket that listens already. */

import { createServer } from 'node:net';

/**
 * Below the ports that Linux gives to whoever asks for any (32768 and up): there a connection, or a server of another
 * test, could come between the question and the server's start, and the wrong one would answer.
 */
const FIRST = 10_000;
/** Of each process; those of two processes are the same only when 1,000 processes came between. */
const PORTS = 20;
const first = FIRST + (process.pid % 1000) * PORTS;
let given = 0;

/** A TCP port of loopback that nobody listens on, and that is given to nobody else before all others of this process were. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PORTS; tried += 1) {
    const port = first + (given % PORTS);
    given += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`the ports ${first} to ${first + PORTS - 1} are all taken`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
