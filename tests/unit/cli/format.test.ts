import { describe, expect, it } from 'vitest';
import {
  ellipsis,
  formatDuration,
  formatMemory,
  formatSize,
  truncateID,
} from '../../../src/engine/cli/format.ts';
import { renderTable } from '../../../src/engine/cli/table.ts';
import { formatTimestamp } from '../../../src/engine/container/timestamp.ts';

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('formatSize', () => {
  const rows: readonly (readonly [number, string])[] = [
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [4_261_550, '4.26MB'],
    [116_999_999, '117MB'],
    // Go's %.3g would write 1e+03kB
    [999_999, '1000kB'],
    [1_234_000_000_000, '1.23TB'],
  ];
  it.each(rows)('%d bytes are %s', (bytes, want) => {
    expect(formatSize(bytes)).toBe(want);
  });
});

describe('formatDuration, as go-units has it', () => {
  const rows: readonly (readonly [number, string])[] = [
    [0, 'Less than a second'],
    [1 * SECOND, '1 second'],
    [59 * SECOND, '59 seconds'],
    [60 * SECOND, 'About a minute'],
    [120 * SECOND, '2 minutes'],
    [3599 * SECOND, '59 minutes'],
    [HOUR, 'About an hour'],
    [1.5 * HOUR, '2 hours'],
    [47 * HOUR, '47 hours'],
    [2 * DAY, '2 days'],
    [14 * DAY, '2 weeks'],
    [60 * DAY, '2 months'],
    [730 * DAY, '2 years'],
  ];
  it.each(rows)('%d ms are %s', (milliseconds, want) => {
    expect(formatDuration(milliseconds)).toBe(want);
  });
});

describe('other formats', () => {
  it('are those of Docker', () => {
    expect(formatMemory(64 * 1024 * 1024)).toBe('64MiB');
    expect(truncateID(`sha256:${'0123456789ab'.repeat(5)}`)).toBe('0123456789ab');
    expect(ellipsis('sh -c "something long"', 20)).toBe('sh -c "something lo…');
    expect(ellipsis('short', 20)).toBe('short');
    expect(formatTimestamp(Date.UTC(2026, 0, 2, 3, 4, 5, 60))).toBe('2026-01-02T03:04:05.060000000Z');
    expect(formatTimestamp(0)).toBe('0001-01-01T00:00:00Z');
  });

  it('a table pads with three spaces, ten columns at least, and not at the end', () => {
    const rows = [
      ['NAME', 'IMAGE ID', 'SIZE'],
      ['a', 'é1', '1kB'],
      ['a-long-name-of-it', '2', ''],
    ];
    expect(renderTable(rows)).toBe(
      'NAME                IMAGE ID   SIZE\na                   é1         1kB\na-long-name-of-it   2          \n',
    );
  });
});
