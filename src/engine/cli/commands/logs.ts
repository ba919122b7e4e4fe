import { joinBytes } from '../../archive/join-bytes.ts';
import { startTimer } from '../../container/long-timer.ts';
import { formatTimestamp } from '../../container/timestamp.ts';
import type { Command } from '../command.ts';
import { parseMoment } from '../moment.ts';
import { refusal } from '../refusal.ts';

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
    const follow = flags.bool('follow') && until > now;
    const over = new AbortController();
    const stopTimer = follow ? startTimer(() => over.abort(), until - now) : undefined;
    const lines = log.read({
      ...(tail !== undefined && { tail }),
      follow,
      signal: AbortSignal.any([stdio.signal, over.signal]),
    });
    try {
      for await (const { stream, at, bytes } of lines) {
        if (at < since) continue;
        if (at > until) break;
        // attributes of the line would come first: the log keeps none
        const detailed = flags.bool('details') ? prefixed(' ', bytes) : bytes;
        const line = flags.bool('timestamps') ? prefixed(`${formatTimestamp(at)} `, detailed) : detailed;
        // of a container with a terminal there is one stream only
        await stdio.write(record.config.tty ? 'out' : stream, line);
      }
    } finally {
      stopTimer?.();
    }
    return 0;
  },
};

function prefixed(text: string, bytes: Uint8Array): Uint8Array {
  return joinBytes([new TextEncoder().encode(text), bytes]);
}

/** As Docker's daemon has it: what is no number shows all. */
function lineCount(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function moment(flag: string, text: string, now: number): number {
  const at = parseMoment(text, now);
  if (at !== undefined) return at;
  throw refusal(
    `invalid value for ${JSON.stringify(flag)}: failed to parse value as time or duration: ${JSON.stringify(text)}`,
  );
}
