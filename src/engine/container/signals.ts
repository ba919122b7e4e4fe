/** Signal names and numbers of Linux on x86 (signal(7)), as `docker kill -s` and STOPSIGNAL take them. */

import { LayerboxError } from '../errors.ts';

const NAMES = [
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'STKFLT',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'XCPU',
  'XFSZ',
  'VTALRM',
  'PROF',
  'WINCH',
  'IO',
  'PWR',
  'SYS',
];
const ALIASES: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29, UNUSED: 31 };
/** The first that programs may use: 32 and 33 are the C library's own. */
const RTMIN = 34;
const RTMAX = 64;

export const SIGINT = 2;
export const SIGKILL = 9;
export const SIGTERM = 15;
const SIGCHLD = 17;
const SIGWINCH = 28;

/** The number of `SIGTERM`, `term`, `15`, `RTMIN+3`. LayerboxError in Docker's words for what is none. */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= RTMAX) return number;
  }
  const index = NAMES.indexOf(name);
  if (index >= 0) return index + 1;
  const alias = ALIASES[name];
  if (alias !== undefined) return alias;
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realTime !== null) {
    const [, base, sign, distance] = realTime;
    const number = (base === 'MIN' ? RTMIN : RTMAX) + (sign === '-' ? -1 : 1) * Number(distance ?? 0);
    if (number >= RTMIN && number <= RTMAX) return number;
  }
  throw new LayerboxError(`invalid signal: ${text}`, { signal: text });
}

/** Signals that a client does not pass on to its container: they are about the client itself. */
export function isForwarded(number: number): boolean {
  return number !== SIGCHLD && number !== SIGWINCH && number !== SIGKILL;
}
