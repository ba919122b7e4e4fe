/** The columns of ps(1) that `docker top` shows, and which of them its options ask for (procps, ps/output.c). */

import type { GuestProcessEntry } from '../container/processes.ts';
import { LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';

interface Column {
  readonly header: string;
  readonly value: (entry: GuestProcessEntry, context: ProcessContext) => string;
}

export interface ProcessContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly memoryBytes: number;
}

const words = ({ words: list, name }: GuestProcessEntry) =>
  printableName(list.length === 0 ? `[${name}]` : list.join(' '));
const user = ({ uid }: GuestProcessEntry) => (uid === 0 ? 'root' : String(uid));
const terminal = ({ terminal: device }: GuestProcessEntry) => {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return major >= 136 && major < 144 ? `pts/${(major - 136) * 256 + minor}` : '?';
};
const share = (part: number, whole: number) => (whole > 0 ? (100 * part) / whole : 0);
const two = (number: number) => String(Math.trunc(number)).padStart(2, '0');
const time = ({ cpu }: GuestProcessEntry) => `${two(cpu / 3600)}:${two((cpu / 60) % 60)}:${two(cpu % 60)}`;
const shortTime = ({ cpu }: GuestProcessEntry) => `${Math.trunc(cpu / 60)}:${two(cpu % 60)}`;
const started = ({ age }: GuestProcessEntry, { now }: ProcessContext) =>
  new Date(now - age * 1000).toISOString().slice(11, 16);
const elapsed = ({ age }: GuestProcessEntry) => {
  const hours = age >= 3600 ? `${two(age / 3600)}:` : '';
  return `${hours}${two((age / 60) % 60)}:${two(age % 60)}`;
};

const COLUMNS: ReadonlyMap<string, Column> = new Map<string, Column>([
  ['uid', { header: 'UID', value: ({ uid }) => String(uid) }],
  ['user', { header: 'USER', value: user }],
  ['pid', { header: 'PID', value: ({ pid }) => String(pid) }],
  ['ppid', { header: 'PPID', value: ({ parent }) => String(parent) }],
  ['c', { header: 'C', value: ({ cpu, age }) => String(Math.trunc(share(cpu, age))) }],
  ['pcpu', { header: '%CPU', value: ({ cpu, age }) => share(cpu, age).toFixed(1) }],
  [
    'pmem',
    { header: '%MEM', value: ({ resident }, { memoryBytes }) => share(resident, memoryBytes).toFixed(1) },
  ],
  ['vsz', { header: 'VSZ', value: ({ virtual }) => String(Math.trunc(virtual / 1024)) }],
  ['rss', { header: 'RSS', value: ({ resident }) => String(Math.trunc(resident / 1024)) }],
  ['stime', { header: 'STIME', value: started }],
  ['start', { header: 'START', value: started }],
  ['etime', { header: 'ELAPSED', value: elapsed }],
  ['tty', { header: 'TTY', value: terminal }],
  [
    'stat',
    {
      header: 'STAT',
      value: ({ state, isLeader, isForeground, terminal: device }) =>
        `${state}${isLeader ? 's' : ''}${isForeground && device !== 0 ? '+' : ''}`,
    },
  ],
  ['state', { header: 'S', value: ({ state }) => state }],
  ['time', { header: 'TIME', value: time }],
  ['bsdtime', { header: 'TIME', value: shortTime }],
  ['comm', { header: 'COMMAND', value: ({ name }) => printableName(name) }],
  ['args', { header: 'COMMAND', value: words }],
  ['cmd', { header: 'CMD', value: words }],
  ['owner', { header: 'UID', value: user }],
]);

const ALIASES: Readonly<Record<string, string>> = {
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  command: 'args',
  euid: 'uid',
  euser: 'user',
  s: 'state',
  tname: 'tty',
  tt: 'tty',
  ucmd: 'comm',
  ucomm: 'comm',
  vsize: 'vsz',
  cputime: 'time',
};

const FULL = 'owner pid ppid c stime tty time cmd';
const USER = 'user pid pcpu pmem vsz rss tty stat start bsdtime args';
/** Option words by what they come to; the processes are those of the container whatever they say. */
const LAYOUTS: ReadonlyMap<string, string> = new Map([
  ...['-ef', '-f', '-eF', '-Af', 'ef', '-fe'].map((word) => [word, FULL] as const),
  ...['aux', '-aux', 'axu', 'u', 'auxww', 'auxw'].map((word) => [word, USER] as const),
  ...['-e', '-A'].map((word) => [word, 'pid tty time comm'] as const),
  ...['ax', 'a', 'x', '-ax'].map((word) => [word, 'pid tty stat bsdtime args'] as const),
]);

/** The columns that the options of ps ask for. LayerboxError in Docker's words when the pid is not among them. */
export function processColumns(options: readonly string[]): readonly Column[] {
  const names = namesOf(options.length === 0 ? ['-ef'] : options);
  if (!names.includes('pid')) throw new LayerboxError("Couldn't find PID field in ps output");
  return names.flatMap((name) => COLUMNS.get(name) ?? []);
}

function namesOf(options: readonly string[]): readonly string[] {
  let layout: string | undefined;
  const own: string[] = [];
  for (let at = 0; at < options.length; at++) {
    const word = options[at] ?? '';
    const list = /^-?[eA]?o(.*)$/s.exec(word);
    if (list !== null) {
      const text = list[1] === '' ? (options[++at] ?? '') : (list[1] ?? '');
      own.push(...text.split(/[, ]+/).map(columnName));
    } else if (LAYOUTS.has(word)) layout = LAYOUTS.get(word);
    else
      throw new LayerboxError(`ps: the option ${printableName(word)} is not supported by Layerbox`, {
        option: word,
      });
  }
  return own.length > 0 ? own : (layout ?? '').split(' ');
}

function columnName(text: string): string {
  const name = ALIASES[text.toLowerCase()] ?? text.toLowerCase();
  if (COLUMNS.has(name) && name !== 'owner') return name;
  throw new LayerboxError(`ps: error: unknown user-defined format specifier "${printableName(text)}"`, {
    column: text,
  });
}
