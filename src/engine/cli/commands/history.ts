import type { HistoryLine } from '../../image/history.ts';
import type { Command } from '../command.ts';
import { fromDaemon } from '../error-text.ts';
import { ellipsis, formatDuration, formatSize, truncateID } from '../format.ts';
import { LIST_FORMAT_FLAG, printListing, type Row } from '../format-flag.ts';

const HEADERS = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
};

/** What `docker history` shows of the words of a step. */
const WORDS_WIDTH = 45;

export const history: Command = {
  usage: '[OPTIONS] IMAGE',
  summary: 'Show the history of an image',
  aliases: ['docker image history', 'docker history'],
  flags: [
    LIST_FORMAT_FLAG,
    {
      long: 'human',
      short: 'H',
      type: 'bool',
      default: true,
      help: 'Print sizes and dates in human readable format',
    },
    { long: 'no-trunc', type: 'bool', help: "Don't truncate output" },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Only show image IDs' },
  ],
  later: ['platform='],
  wordCount: { min: 1, max: 1 },
  run: async ({ words, flags, host, print }) => {
    const record = await fromDaemon(() => host.images.resolve(words[0] ?? ''));
    const lines = await host.images.history(record);
    const how = { human: flags.bool('human'), truncate: !flags.bool('no-trunc'), now: host.now() };
    await printListing(print, {
      rows: lines.map((line) => rowOf(line, how)),
      headers: HEADERS,
      columns: ['ID', how.human ? 'CreatedSince' : 'CreatedAt', 'CreatedBy', 'Size', 'Comment'],
      format: flags.string('format'),
      type: '*image.historyContext',
      ...(flags.bool('quiet') && { only: 'ID' }),
    });
    return 0;
  },
};

function rowOf(
  line: HistoryLine,
  { human, truncate, now }: { readonly human: boolean; readonly truncate: boolean; readonly now: number },
): Row {
  const { imageID = '<missing>', created, createdBy, size, comment } = line;
  const time = created === undefined ? undefined : Date.parse(created);
  // a line feed would break the table: Docker has the words on one line
  const words = createdBy.replaceAll('\t', ' ');
  return {
    ID: truncate && imageID !== '<missing>' ? truncateID(imageID) : imageID,
    CreatedSince: time === undefined ? 'N/A' : `${formatDuration(now - time)} ago`,
    CreatedAt: time === undefined ? '' : new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
    CreatedBy: truncate ? ellipsis(words, WORDS_WIDTH) : words,
    Size: human ? formatSize(size) : String(size),
    Comment: comment,
  };
}
