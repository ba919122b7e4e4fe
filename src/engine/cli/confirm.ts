/** The question before something is removed. */

import type { Flag } from './command.ts';
import { LineReader } from './line-reader.ts';
import type { Stdio } from './stdio.ts';

export const CONFIRM_FLAG: Flag = {
  long: 'force',
  short: 'f',
  type: 'bool',
  help: 'Do not prompt for confirmation',
};

/** Asks, and resolves with whether the answer was `y`; all else, and the end of input, is no. CancelledError at Ctrl-C. */
export async function confirmed(stdio: Stdio, warning: string): Promise<boolean> {
  const answer = await new LineReader(stdio).line(`${warning}\nAre you sure you want to continue? [y/N] `);
  return /^y$/i.test(answer.trim());
}
