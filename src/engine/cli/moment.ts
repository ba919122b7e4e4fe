/** `--since` and `--until`: a timestamp, seconds since 1970, or a duration before now (moby, timetypes.GetTimestamp). */

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds since 1970; undefined when the text is none of these. */
export function parseMoment(text: string, now: number): number | undefined {
  if (/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) {
    let milliseconds = 0;
    for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
      milliseconds += Number(number) * (UNITS[unit ?? ''] ?? 0);
    }
    return now - milliseconds;
  }
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const parsed = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}
