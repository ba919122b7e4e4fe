/**
 * Where a journal's parts are in lightning-fs: `/<name, encoded>/<number, 12
 * digits>` for segments, and one empty directory `next-<number>` that remembers
 * the number to go on with once the highest segment was removed.
 */

const markerPrefix = 'next-';

/** The directory of a journal. Any name is safe: `/`, `.`, and what is no text at all are encoded. */
export function journalDirectory(name: string): string {
  const encoded = name.replace(
    /[^A-Za-z0-9_-]/g,
    (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `/${encoded}`;
}

/** The journal that an entry of the root directory belongs to. */
export function journalName(entry: string): string {
  return entry.replace(/%([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

export function segmentPath(name: string, number: number): string {
  return `${journalDirectory(name)}/${String(number).padStart(12, '0')}`;
}

export function markerPath(name: string, next: number): string {
  return `${journalDirectory(name)}/${markerPrefix}${next}`;
}

/** What an entry of a journal's directory stands for; undefined for what is neither. */
export function readEntry(
  entry: string,
): { readonly segment: number } | { readonly next: number } | undefined {
  if (/^\d{12,}$/.test(entry)) return { segment: Number(entry) };
  if (/^next-\d+$/.test(entry)) return { next: Number(entry.slice(markerPrefix.length)) };
  return undefined;
}
