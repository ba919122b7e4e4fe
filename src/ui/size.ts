/** Sizes as Docker counts them: 1000 bytes to the kilobyte, and three digits that matter. */

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `0 B`, `999 B`, `1 KB`, `1.12 MB`, `412 MB`. */
export function formatSize(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 999.5 is shown as 1000 by three digits: it belongs to the next unit
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 ? Math.round(value) : Number(value.toPrecision(3));
  return `${digits} ${units[unit]}`;
}

/** `1,120,336 bytes`, for a tooltip and for screen readers. */
export function exactSize(bytes: number): string {
  return `${bytes.toLocaleString('en-US')} ${bytes === 1 ? 'byte' : 'bytes'}`;
}
