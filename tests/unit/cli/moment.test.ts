import { describe, expect, it } from 'vitest';
import { filterTime } from '../../../src/engine/cli/filter.ts';
import { parseMoment } from '../../../src/engine/cli/moment.ts';

const NOW = Date.UTC(2026, 0, 2, 12);

const moments: readonly (readonly [string, number])[] = [
  ['1h30m', NOW - 5_400_000],
  ['1.5s', NOW - 1500],
  ['2000us', NOW - 2],
  ['-1m', NOW + 60_000],
  ['0', 0],
  ['1767355200', NOW],
  ['1767355200.5', NOW + 500],
  ['2026-01-02T12:00:00Z', NOW],
  ['2026-01-02T12:00:00.000000000Z', NOW],
  ['2026-01-02T12Z', NOW],
  ['2026-01-02T13:00+01:00', NOW],
  ['2026-01-02', NOW - 12 * 3_600_000],
  ['2026-01-02+01:00', NOW - 13 * 3_600_000],
  ['2026-01-02Z', NOW - 12 * 3_600_000],
];

describe('a moment', () => {
  it.each(moments)('%s, in a flag and in a filter', (text, wanted) => {
    expect(parseMoment(text, NOW)).toBe(wanted);
    expect(filterTime(text, NOW)).toBe(wanted);
  });

  it.each(['', 'x', '1d', '-5', '2026-01-02 and more', '2026-13-01'])('%j is none', (text) => {
    expect(parseMoment(text, NOW)).toBeUndefined();
    expect(() => filterTime(text, NOW)).toThrow('failed to parse time');
  });
});
