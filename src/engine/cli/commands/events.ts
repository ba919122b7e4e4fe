import type { DockerEvent } from '../../container/event-history.ts';
import { startTimer } from '../../container/long-timer.ts';
import { formatTimestamp } from '../../container/timestamp.ts';
import { printableName } from '../../names.ts';
import type { Command } from '../command.ts';
import { eventFilter } from '../event-filters.ts';
import { FILTER_FLAG } from '../filter.ts';
import { INSPECT_FORMAT_FLAG, unescaped } from '../format-flag.ts';
import { jsonOf } from '../json-text.ts';
import { parseMoment } from '../moment.ts';
import { refusal } from '../refusal.ts';
import { parseTemplate } from '../template.ts';
import { GoStruct } from '../template-values.ts';

export const events: Command = {
  usage: '[OPTIONS]',
  summary: 'Get real time events from the server',
  aliases: ['docker system events', 'docker events'],
  flags: [
    FILTER_FLAG,
    { long: 'format', type: 'string', help: INSPECT_FORMAT_FLAG.help },
    { long: 'since', type: 'string', help: 'Show all events created since timestamp' },
    { long: 'until', type: 'string', help: 'Stream events until this timestamp' },
  ],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, stdio, print }) => {
    const now = host.now();
    const since = flags.given('since') ? moment(flags.string('since'), now) : undefined;
    const until = flags.given('until') ? moment(flags.string('until'), now) : Number.POSITIVE_INFINITY;
    const isWanted = eventFilter(flags.list('filter'));
    const lineOf = formatter(flags.string('format'));
    const queue = since === undefined ? [] : host.events.kept.filter(({ at }) => at >= since);
    let wake: () => void = () => undefined;
    const stop = host.events.subscribe((event) => {
      queue.push(event);
      wake();
    });
    let isOver = false;
    // the timer's word is enough: by the clock it may come a little early, and the clock may be set back
    const end = () => {
      isOver = true;
      wake();
    };
    const stopTimer = startTimer(end, Math.max(0, until - now));
    stdio.signal.addEventListener('abort', end, { once: true });
    try {
      for (;;) {
        const event = queue.shift();
        if (event !== undefined) {
          if (event.at <= until && isWanted(event)) await print.line(lineOf(event));
          continue;
        }
        stdio.signal.throwIfAborted();
        if (isOver || host.now() >= until) return 0;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      stopTimer();
      stop();
      stdio.signal.removeEventListener('abort', end);
    }
  },
};

function moment(text: string, now: number): number {
  const at = parseMoment(text, now);
  if (at !== undefined) return at;
  throw refusal(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
}

function formatter(format: string): (event: DockerEvent) => string {
  if (format === '') return lineText;
  if (format === 'json') return (event) => jsonOf(documentOf(event));
  const template = parseTemplate(unescaped(format));
  return (event) => template.render(contextOf(event));
}

/** `2026-01-02T03:04:05.000000000Z container start ID (image=busybox, name=web)` */
function lineText({ type, action, id, attributes, at }: DockerEvent): string {
  const pairs = Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const text = `${formatTimestamp(at)} ${type} ${action} ${id}`;
  return printableName(pairs.length === 0 ? text : `${text} (${pairs.join(', ')})`);
}

/** A message of Docker's API; the first three are there for clients of old. */
function documentOf({ type, action, id, attributes, at }: DockerEvent): Readonly<Record<string, unknown>> {
  return {
    ...((type === 'container' || type === 'image') && { status: action, id }),
    ...(type === 'container' && { from: attributes.image ?? '' }),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Math.trunc(at / 1000),
    timeNano: Math.trunc(at) * 1e6,
  };
}

function contextOf(event: DockerEvent): GoStruct {
  const { type, action, id, attributes, at } = event;
  const actor = new GoStruct(
    'events.Actor',
    [
      ['ID', id],
      ['Attributes', attributes],
    ],
    {
      document: { ID: id, Attributes: attributes },
      fallsBack: false,
    },
  );
  return new GoStruct(
    'events.Message',
    [
      ['Status', type === 'container' || type === 'image' ? action : ''],
      ['ID', type === 'container' || type === 'image' ? id : ''],
      ['From', type === 'container' ? (attributes.image ?? '') : ''],
      ['Type', type],
      ['Action', action],
      ['Actor', actor],
      ['Scope', 'local'],
      ['Time', Math.trunc(at / 1000)],
      ['TimeNano', Math.trunc(at) * 1e6],
    ],
    { document: documentOf(event), fallsBack: false },
  );
}
