/** What the daemon sends piece by piece: logs, events, progress; and what it measures. */

import { cgroupFile } from '../../src/engine/container/limits.ts';
import { type Daemon, type Document, fields, filterFlags } from './daemon.ts';
import { ApiError, ApiStream } from './engine-api.ts';

/** The log, each piece behind a header of its own that has its stream and its length. */
export async function logs(daemon: Daemon, name: string, query: URLSearchParams): Promise<ApiStream> {
  const flags = [
    ...(query.get('timestamps') === '1' ? ['-t'] : []),
    ...(query.get('details') === '1' ? ['--details'] : []),
    ...(query.has('tail') ? ['--tail', query.get('tail') ?? ''] : []),
    ...['since', 'until'].flatMap((flag) => (query.has(flag) ? [`--${flag}`, query.get(flag) ?? ''] : [])),
  ];
  const frames: Uint8Array[] = [];
  await daemon.sandbox.docker(['logs', ...flags, name], {
    write: async (stream, bytes) => {
      const header = Buffer.alloc(8);
      header.writeUInt8(stream === 'out' ? 1 : 2);
      header.writeUInt32BE(bytes.length, 4);
      frames.push(header, bytes);
    },
  });
  return new ApiStream('application/vnd.docker.multiplexed-stream', Buffer.concat(frames));
}

/** Of the past alone: nothing happens while the client listens. */
export async function events(daemon: Daemon, query: URLSearchParams): Promise<ApiStream> {
  const until = Math.min(Number(query.get('until')), daemon.sandbox.clock.now / 1000 - 1);
  const flags = ['--since', query.get('since') ?? '0', '--until', String(until), ...filterFlags(query)];
  const rows = await daemon.lines('events', ...flags, '--format', 'json');
  return ApiStream.ofMessages(rows.map((row) => JSON.parse(row)));
}

/** The steps of a pull, as our own tells them in a pipe. */
export async function pull(daemon: Daemon, name: string): Promise<ApiStream> {
  const { code, out, err } = await daemon.sandbox.docker(['pull', name]);
  if (code !== 0) {
    // nothing has been sent yet: it is the answer itself that fails
    throw new ApiError(404, err.trim().replace('Error response from daemon: ', ''));
  }
  // the client says these two by itself
  const lines = out.trimEnd().split('\n').slice(0, -1);
  return ApiStream.ofMessages(
    lines
      .filter((line) => !line.startsWith('Using default tag'))
      .map((line) => {
        const [, id, status] =
          /^([0-9a-f]{12}|[\w.-]+): ((?!sha256:|Downloaded|Image is).*)$/.exec(line) ?? [];
        return status === undefined ? { status: line } : { status, id, progressDetail: {} };
      }),
  );
}

/** The table that `docker top` of ours prints, cell by cell. */
export async function top(daemon: Daemon, name: string, options: string): Promise<Document> {
  await daemon.inspect('container', name);
  const text = await daemon.docker('top', name, ...options.split(' ').filter((word) => word !== ''));
  const [header = '', ...rows] = text.trimEnd().split('\n');
  const starts = [...header.matchAll(/\S+/g)].map(({ index }) => index);
  const cells = (line: string) => starts.map((start, i) => line.slice(start, starts[i + 1]).trimEnd());
  return { Titles: cells(header), Processes: rows.map(cells) };
}

/** What the files of the cgroup say; one sample twice. */
export async function stats(daemon: Daemon, name: string): Promise<Document> {
  const document = await daemon.inspect('container', name);
  const id = String(document.Id);
  if (fields(document.State).Running !== true) return { id, name: document.Name };
  const { files } = daemon.sandbox.machine;
  const number = (path: string, pattern = /(\d+)/) => Number(pattern.exec(files.get(path) ?? '')?.[1] ?? 0);
  const own = (file: string, pattern?: RegExp) => number(cgroupFile(id, file), pattern);
  const total = number('/proc/meminfo') * 1024;
  const traffic = `/proc/${fields(document.State).Pid}/net/dev`;
  const cpu = { cpu_usage: { total_usage: own('cpu.stat') * 1000 }, system_cpu_usage: 1e9, online_cpus: 1 };
  return {
    id,
    name: document.Name,
    cpu_stats: cpu,
    precpu_stats: cpu,
    memory_stats: {
      usage: own('memory.current'),
      limit: Math.min(own('memory.max') || total, total),
      stats: { inactive_file: own('memory.stat') },
    },
    pids_stats: { current: own('pids.current') },
    networks: {
      eth0: {
        rx_bytes: number(traffic, /eth0: (\d+)/),
        tx_bytes: number(traffic, /eth0: (?:\d+ ){8}(\d+)/),
      },
    },
  };
}
