/** Notes of Docker's client beside what a command prints: ` Info -> `, further lines below the first. */

import type { Printer } from './printer.ts';
import type { Stdio } from './stdio.ts';

/** Prints a note to standard output, after a blank line. On a terminal as docker 28.2.2 colours it. */
export async function printNote(print: Printer, stdio: Stdio, lines: readonly string[]): Promise<void> {
  const [first = '', ...more] = lines;
  const isTerminal = stdio.terminal.stdout;
  const header = isTerminal ? '\x1b[1m\x1b[106m\x1b[30mi\x1b[0m \x1b[96mInfo → \x1b[0m' : ' Info -> ';
  const styled = (line: string) => (isTerminal ? `\x1b[3m${line}\x1b[0m` : line);
  await print.line('');
  await print.line(`${header}${styled(first)}`);
  for (const line of more) await print.line(`         ${styled(line)}`);
}
