/** A time that is asked for: `--since`, `--until`, and the filters of that name (moby, timetypes.GetTimestamp). */

import { parseDuration } from './quantities.ts';

/** A date, its time and its zone; of the time the hours are enough. */
const TIMESTAMP = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)((?::\d\d){0,2}(?:\.\d+)?))?(Z|[+-]\d\d:\d\d)?$/;

/** Milliseconds since 1970 of a timestamp, of seconds since 1970 or of a duration before now; undefined: it is none of these. */
export function parseMoment(text: string, now: number): number | undefined {
  const nanoseconds = text === '0' ? undefined : parseDuration(text);
  if (nanoseconds !== undefined) return now - nanoseconds / 1e6;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const [, date, hours, rest, zone = ''] = TIMESTAMP.exec(text) ?? [];
  if (date === undefined) return undefined;
  const time = hours === undefined ? zone && 'T00:00' : `T${hours}${rest || ':00'}`;
  const parsed = Date.parse(`${date}${time}${zone}`);
  return Number.isNaN(parsed) ? undefined : parsed;
}
