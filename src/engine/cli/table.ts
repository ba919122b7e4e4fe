/**
 * Columns as Docker's client pads them: each at least ten characters wide, three spaces between, the last one
 * unpadded (Go's text/tabwriter with minwidth 10, tabwidth 1, padding 3).
 */

const MIN_WIDTH = 10;
const PADDING = 3;

/** `minWidth`: of each column but the last. The rows as lines, each ended by a line feed. Cells hold no line feeds and no tabs. */
export function renderTable(rows: readonly (readonly string[])[], minWidth = MIN_WIDTH): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? minWidth, characters(cell) + PADDING);
    }
  }
  let text = '';
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      const last = column === row.length - 1;
      text += last ? cell : cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - characters(cell)));
    }
    text += '\n';
  }
  return text;
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
