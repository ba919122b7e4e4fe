/** A command line that the docker client at hand was asked, and what of its output is otherwise here. */

export interface Case {
  readonly argv: readonly string[];
  /** The output is a terminal of this many columns; undefined: a pipe. */
  readonly columns?: number;
  /** What is typed into that terminal, which shows none of it. */
  readonly typed?: string;
  /** What the terminal shows in the end is compared, not how it came about. */
  readonly screen?: true;
  /** It changes things: it is asked of a state of its own. */
  readonly fresh?: true;
  /** What is typed here for the same, where the words differ, and why. */
  readonly ours?: { readonly argv: readonly string[]; readonly because: string };
  /** Replaced in the recorded output before it is compared. */
  readonly differs?: readonly Difference[];
}

export interface Difference {
  readonly pattern: RegExp;
  readonly by: string;
  readonly because: string;
}

export const words = (line: string): readonly string[] => line.split(' ');

export const lines = (...all: readonly string[]): readonly Case[] =>
  all.map((line) => ({ argv: words(line) }));

export const fresh = (...all: readonly string[]): readonly Case[] =>
  all.map((line) => ({ argv: words(line), fresh: true }));
