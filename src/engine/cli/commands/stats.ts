import { cpuPercent, type Sample } from '../../container/stats.ts';
import type { ContainerRecord } from '../../store/container-record.ts';
import { pause } from '../abortion.ts';
import type { Command, Invocation } from '../command.ts';
import { formatMemory, formatSize, truncateID } from '../format.ts';
import { LIST_FORMAT_FLAG, printListing, type Row } from '../format-flag.ts';
import { Printer } from '../printer.ts';

const HEADERS = {
  Container: 'CONTAINER',
  ID: 'CONTAINER ID',
  Name: 'NAME',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET I/O',
  BlockIO: 'BLOCK I/O',
  PIDs: 'PIDS',
};
const COLUMNS = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];
/** Milliseconds between two samples, as the daemon's collector has it. */
const INTERVAL = 1000;

export const stats: Command = {
  usage: '[OPTIONS] [CONTAINER...]',
  summary: 'Display a live stream of container(s) resource usage statistics',
  aliases: ['docker container stats', 'docker stats'],
  flags: [
    { long: 'all', short: 'a', type: 'bool', help: 'Show all containers (default shows just running)' },
    LIST_FORMAT_FLAG,
    {
      long: 'no-stream',
      type: 'bool',
      help: 'Disable streaming stats and only pull the first result',
    },
    { long: 'no-trunc', type: 'bool', help: 'Do not truncate output' },
  ],
  wordCount: { min: 0 },
  run: async (invocation) => {
    const { words, flags, host, stdio } = invocation;
    const named = words.map((word) => host.containers.resolve(word).id);
    let before = await samplesOf(invocation, named);
    // one sample says nothing of the processor
    await pause(INTERVAL, stdio.signal);
    for (;;) {
      stdio.signal.throwIfAborted();
      const after = await samplesOf(invocation, named);
      const rows = after.map(({ record, sample }) =>
        rowOf(record, before.find((each) => each.record.id === record.id)?.sample, sample, {
          truncate: !flags.bool('no-trunc'),
          asked: words[named.indexOf(record.id)],
        }),
      );
      await show(invocation, rows);
      if (flags.bool('no-stream')) return 0;
      before = after;
      await pause(INTERVAL, stdio.signal);
    }
  },
};

interface Measured {
  readonly record: ContainerRecord;
  /** Undefined: it does not run. */
  readonly sample: Sample | undefined;
}

/** Of those that were named, or of all that run; one that goes meanwhile is left out. */
async function samplesOf(
  { flags, host }: Invocation,
  named: readonly string[],
): Promise<readonly Measured[]> {
  const { containers } = host;
  const isUp = ({ state }: ContainerRecord) => state.status === 'running' || state.status === 'paused';
  const shown =
    named.length > 0
      ? containers.list().filter(({ id }) => named.includes(id))
      : containers.list().filter((record) => flags.bool('all') || isUp(record));
  const order = (id: string) => (named.length > 0 ? named.indexOf(id) : 0);
  return Promise.all(
    [...shown]
      .sort((a, b) => order(a.id) - order(b.id))
      .map(async (record) => ({ record, sample: await containers.sample(record.id) })),
  );
}

function rowOf(
  { id, name }: ContainerRecord,
  before: Sample | undefined,
  sample: Sample | undefined,
  { truncate, asked }: { readonly truncate: boolean; readonly asked: string | undefined },
): Row {
  const memory = sample?.memory ?? 0;
  const limit = sample?.memoryLimit ?? 0;
  const percent = (number: number) => `${number.toFixed(2)}%`;
  const shownID = truncate ? truncateID(id) : id;
  return {
    BlockIO: '0B / 0B', // the machine has no block device
    CPUPerc: percent(before === undefined || sample === undefined ? 0 : cpuPercent(before, sample)),
    Container: asked ?? shownID,
    ID: shownID,
    MemPerc: percent(limit > 0 ? (100 * memory) / limit : 0),
    MemUsage: `${formatMemory(memory)} / ${formatMemory(limit)}`,
    Name: name,
    NetIO: `${formatSize(sample?.received ?? 0)} / ${formatSize(sample?.sent ?? 0)}`,
    PIDs: String(sample?.processes ?? 0),
  };
}

/** In a terminal the table is drawn over the one before. */
async function show({ flags, stdio, print }: Invocation, rows: readonly Row[]): Promise<void> {
  const format = flags.string('format');
  const isLive = stdio.terminal.stdout && !flags.bool('no-stream') && (format === '' || format === 'table');
  const listing = { rows, columns: COLUMNS, headers: HEADERS, format };
  if (!isLive) {
    await printListing(print, listing);
    return;
  }
  let text = '';
  const collected = new Printer({
    ...stdio,
    write: async (_, bytes) => {
      text += new TextDecoder().decode(bytes);
    },
  });
  await printListing(collected, listing);
  await print.text(`\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J`);
}
