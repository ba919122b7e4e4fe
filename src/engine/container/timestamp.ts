/** RFC 3339 with nanoseconds, as Docker's API has times; of 0 Go's zero time, which stands for never. */
export function formatTimestamp(milliseconds: number): string {
  if (milliseconds === 0) return '0001-01-01T00:00:00Z';
  return new Date(milliseconds).toISOString().replace(/Z$/, '000000Z');
}
