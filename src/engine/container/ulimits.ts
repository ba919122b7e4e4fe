/** `--ulimit nofile=1024:2048`, as Docker's client reads it (go-units, ulimit.go). */

import type { Ulimit } from '../store/container-record.ts';
import type { ResourceLimit } from './machine.ts';

/** In the order of their numbers (asm-generic/resource.h). */
const NAMES =
  'cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime'.split(
    ' ',
  );

/** What the text says, or in Docker's words what is wrong with it. */
export function parseUlimit(text: string): Ulimit | string {
  const equals = text.indexOf('=');
  if (equals < 0) return `invalid ulimit argument: ${text}`;
  const name = text.slice(0, equals);
  if (!NAMES.includes(name) || name === 'as') return `invalid ulimit type: ${name}`;
  const [soft = '', hard = soft, ...more] = text.slice(equals + 1).split(':');
  if (more.length > 0)
    return `too many limit value arguments - ${text.slice(equals + 1)}, can only have up to two, \`soft[:hard]\``;
  for (const value of [soft, hard]) {
    if (!/^[+-]?\d{1,15}$/.test(value))
      return `strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`;
  }
  const ulimit = { name, soft: Number(soft), hard: Number(hard) };
  if (ulimit.hard !== -1 && (ulimit.soft === -1 || ulimit.soft > ulimit.hard)) {
    return ulimit.soft === -1
      ? `ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${ulimit.hard}`
      : `ulimit soft limit must be less than or equal to hard limit: ${ulimit.soft} > ${ulimit.hard}`;
  }
  return ulimit;
}

export function rlimitsOf(ulimits: readonly Ulimit[]): readonly ResourceLimit[] {
  return ulimits.map(({ name, soft, hard }) => ({ resource: NAMES.indexOf(name), soft, hard }));
}
