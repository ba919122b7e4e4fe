/** What a terminal shows in the end of what was written to it: as much of one as progress lines use (ECMA-48: CUU, CUD, EL). */

/** The lines, without blanks at their ends. */
export function screenOf(text: string): string {
  const rows: string[][] = [[]];
  let row = 0;
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read
  for (const [piece, count, final] of text.matchAll(/\x1b\[(\d*)([A-Za-z])|./gs)) {
    const cells = rows[row] ?? [];
    rows[row] = cells;
    if (final === 'A') row = Math.max(0, row - Number(count || 1));
    else if (final === 'B') row += Number(count || 1);
    else if (final === 'K') {
      if (count === '2') cells.fill(' ');
      else if (count === '1') cells.fill(' ', 0, column + 1);
      else cells.length = Math.min(cells.length, column);
    } else if (final !== undefined) continue;
    else if (piece === '\r') column = 0;
    else if (piece === '\n') {
      row += 1;
      column = 0;
    } else {
      cells[column] = piece;
      column += 1;
    }
  }
  return Array.from(rows, (cells = []) =>
    Array.from(cells, (cell = ' ') => cell)
      .join('')
      .trimEnd(),
  )
    .join('\n')
    .trimEnd();
}
