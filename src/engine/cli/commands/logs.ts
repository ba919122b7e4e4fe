import { UsageError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { formatTimestamp } from '../format.ts';

export const logs: Command = {
  usage: '[OPTIONS] CONTAINER',
  summary: 'Fetch the logs of a container',
  aliases: ['docker container logs', 'docker logs'],
  flags: [
    { long: 'details', type: 'bool', help: 'Show extra details provided to logs' },
    { long: 'follow', short: 'f', type: 'bool', help: 'Follow log output' },
    {
      long: 'since',
      type: 'string',
      help: 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
    {
      long: 'tail',
      short: 'n',
      type: 'string',
      default: 'all',
      help: 'Number of lines to show from the end of the logs',
    },
    { long: 'timestamps', short: 't', type: 'bool', help: 'Show timestamps' },
    {
      long: 'until',
      type: 'string',
      help: 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
  ],
  wordCount: { min: 1, max: 1 },
  run: async ({ words, flags, host, stdio }) => {
    const record = host.containers.resolve(words[0] ?? '');
    const now = host.now();
    const since = flags.given('since')
      ? moment('since', flags.string('since'), now)
      : Number.NEGATIVE_INFINITY;
    const until = flags.given('until')
      ? moment('until', flags.string('until'), now)
      : Number.POSITIVE_INFINITY;
    const tail = lineCount(flags.string('tail'));
    const log = await host.containers.log(record.id);
    const lines = log.read({
      ...(tail !== undefined && { tail }),
      follow: flags.bool('follow'),
      signal: stdio.signal,
    });
    for await (const { stream, at, bytes } of lines) {
      if (at < since) continue;
      if (at > until) break;
      const line = flags.bool('timestamps') ? stamped(at, bytes) : bytes;
      // of a container with a terminal there is one stream only
      await stdio.write(record.config.tty ? 'out' : stream, line);
    }
    return 0;
  },
};

function stamped(at: number, bytes: Uint8Array): Uint8Array {
  const stamp = new TextEncoder().encode(`${formatTimestamp(at)} `);
  const line = new Uint8Array(stamp.length + bytes.length);
  line.set(stamp);
  line.set(bytes, stamp.length);
  return line;
}

/** As Docker's daemon has it: what is no number shows all. */
function lineCount(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds since 1970 of a timestamp, of seconds since 1970, or of a duration before now. */
function moment(flag: string, text: string, now: number): number {
  if (/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) {
    let milliseconds = 0;
    for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
      milliseconds += Number(number) * (UNITS[unit ?? ''] ?? 0);
    }
    return now - milliseconds;
  }
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const parsed = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(parsed)) return parsed;
  throw new UsageError(
    `invalid value for ${JSON.stringify(flag)}: failed to parse value as time or duration: ${JSON.stringify(text)}`,
    { exitCode: 1, plain: true },
  );
}
