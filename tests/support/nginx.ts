/** The real nginx on loopback with one of the configurations of `deploy/nginx`, and what it was asked. */

import { cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project-root.ts';
import { findProgram } from '../../scripts/system.ts';
import { freePort } from './free-port.ts';
import { startServer } from './server-process.ts';

export type Site = 'plain' | 'cache' | 'basic' | 'bearer' | 'static';

export interface Logged {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  readonly range: string;
  readonly authorization: string;
}

export interface Nginx {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** All requests that were answered so far, in the order in which their answers ended; not what was no HTTP. */
  requests(): Promise<readonly Logged[]>;
  close(): Promise<void>;
}

export interface NginxPlace {
  /** Default: a free one. */
  readonly port?: number;
  /** `127.0.0.1:port` of the registry behind it. */
  readonly registry?: string;
  readonly tokenService?: string;
  /** The folder of `static`. */
  readonly root?: string;
}

const LOG_FORMAT =
  '{"method":"$request_method","path":"$request_uri","status":$status,"bytes":$body_bytes_sent,' +
  '"range":"$http_range","authorization":"$http_authorization"}';

/** `deploy/nginx` as it is but for address.conf, the file that its user is to change. */
export async function startNginx(site: Site, place: NginxPlace): Promise<Nginx> {
  const program = findProgram('nginx');
  if (program === undefined) throw new Error('nginx is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'layerbox-nginx-'));
  const host = `127.0.0.1:${place.port ?? (await freePort())}`;
  await cp(join(projectRoot, 'deploy/nginx'), join(folder, 'layerbox'), { recursive: true });
  await mkdir(join(folder, 'tmp'));
  await writeFile(
    join(folder, 'layerbox/address.conf'),
    `listen ${host};
server_name 127.0.0.1;
set $registry ${place.registry ?? '127.0.0.1:9'};
set $token_service ${place.tokenService ?? '127.0.0.1:9'};
root ${place.root ?? folder};
`,
  );
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  ${kinds.map((kind) => `${kind}_temp_path ${folder}/tmp/${kind};`).join('\n  ')}
  log_format seen escape=json '${LOG_FORMAT}';
  access_log ${folder}/access.log seen;
  include layerbox/${site}.conf;
}
`,
  );
  const server = await startServer({
    program,
    args: ['-p', folder, '-c', join(folder, 'nginx.conf')],
    folder,
    url: `http://${host}/mark-0`,
    statuses: [404],
  });
  let marks = 0;
  const mark = async () => {
    marks += 1;
    const path = `/mark-${marks}`;
    await fetch(`http://${host}${path}`);
    return path;
  };
  return {
    host,
    requests: async () => {
      const last = await mark();
      for (;;) {
        const text = await readFile(join(folder, 'access.log'), 'utf8');
        const lines = text.split('\n').slice(0, -1);
        const all: Logged[] = lines.map((line) => JSON.parse(line));
        if (all.some(({ path }) => path === last))
          return all.filter(({ path }) => path.startsWith('/') && !path.startsWith('/mark-'));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    close: () => server.close(),
  };
}
