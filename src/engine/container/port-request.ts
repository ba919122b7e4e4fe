/** A GET to a published port, through the host's own network: how the page looks at what a container serves. */

import { LayerboxError } from '../errors.ts';
import type { Machine } from './machine.ts';
import { type PortResponse, readResponse } from './port-response.ts';

const PATIENCE_MS = 30_000;

/**
 * What the port answers for `path` (with its query). LayerboxError for a path that is none, for a port where nobody
 * answers, and for what is no answer of HTTP.
 */
export async function getThroughPort(machine: Machine, port: number, path: string): Promise<PortResponse> {
  // what stands in a request line: RFC 9112, section 3.2.1; anything else would be a request of the page's making
  if (!/^\/[\x21-\x7e]*$/.test(path) || path.length > 8192) {
    throw new LayerboxError(
      `a path to ask a port for starts with a slash and has no spaces, unlike ${JSON.stringify(path)}`,
    );
  }
  const connection = await machine.dial(port);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      connection.close();
      reject(new LayerboxError(`port ${port} gave no answer within ${PATIENCE_MS / 1000} seconds`));
    }, PATIENCE_MS);
  });
  try {
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: localhost:${port}`,
      'Accept: */*',
      'Connection: close',
      '',
      '',
    ];
    await connection.write(new TextEncoder().encode(lines.join('\r\n')));
    return await Promise.race([readResponse(connection.input), late]);
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}
