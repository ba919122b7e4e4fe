/** Values of flags with units, as Docker's client reads them: `512m`, `1.5`, `1m30s`. */

/** Letters of binary units (go-units, RAMInBytes): `64m`, `1.5GiB`, `10kb`. */
const SIZE = /^([+-]?\d+(?:\.\d+)?)\s?([kmgtp])?i?b?$/i;
const POWERS = ['', 'k', 'm', 'g', 't', 'p'];

/** Bytes; undefined when the text is no size. `-1` is -1. */
export function parseBytes(text: string): number | undefined {
  if (text === '-1') return -1;
  const match = SIZE.exec(text);
  if (match === null) return undefined;
  const [, number = '', unit = ''] = match;
  const bytes = Math.trunc(Number(number) * 1024 ** POWERS.indexOf(unit.toLowerCase()));
  return bytes >= 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** For `Flag.check`. */
export function bytesFault(text: string): string | undefined {
  return parseBytes(text) === undefined ? `invalid size: '${text}'` : undefined;
}

/** Billionths of a processor (opts.ParseCPUs); undefined when the text is no number or too precise. */
export function parseCPUs(text: string): number | undefined {
  if (!/^[+-]?\d{1,6}(?:\.\d+)?$/.test(text)) return undefined;
  const nano = Number(text) * 1e9;
  return Math.abs(nano - Math.round(nano)) < 1e-4 ? Math.round(nano) : undefined;
}

export function cpusFault(text: string): string | undefined {
  if (!/^[+-]?\d{1,6}(?:\.\d+)?$/.test(text)) return `failed to parse ${text} as a rational number`;
  return parseCPUs(text) === undefined ? 'value is too precise' : undefined;
}

/** Nanoseconds of each unit (Go, time.ParseDuration). */
const DURATIONS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds of `1m30s`, `-5s`, `0`; undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^([+-]?)(0|(?:\d+(?:\.\d*)?(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (match === null) return undefined;
  let nanoseconds = 0;
  for (const [, number = '', unit = ''] of (match[2] ?? '').matchAll(
    /(\d+(?:\.\d*)?)(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    nanoseconds += Number(number) * (DURATIONS[unit] ?? 0);
  }
  return match[1] === '-' ? -nanoseconds : nanoseconds;
}

export function durationFault(text: string): string | undefined {
  return parseDuration(text) === undefined ? `time: invalid duration ${JSON.stringify(text)}` : undefined;
}
