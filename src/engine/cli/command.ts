/** What a docker command is: its words, its flags, and what it does. */

import type { DockerHost } from './docker-host.ts';
import type { ParsedFlags } from './parse.ts';
import type { Printer } from './printer.ts';
import type { Stdio } from './stdio.ts';

/** The word behind the name in the help is the type's, unless `typeName` says otherwise. */
export type FlagType = 'bool' | 'string' | 'int' | 'list';

export interface Flag {
  readonly long: string;
  readonly short?: string;
  readonly type: FlagType;
  readonly typeName?: string;
  /** As Docker's help has it; a line feed in it is kept. */
  readonly help: string;
  readonly default?: string | number | boolean;
  /** Says what is wrong with a value, in Docker's words, or nothing. */
  readonly check?: (value: string) => string | undefined;
  /** The help does not tell of it: an older name of another flag. */
  readonly hidden?: boolean;
}

/** How many words may follow the flags; `max` undefined: any number. */
export interface WordCount {
  readonly min: number;
  readonly max?: number;
}

export interface Invocation {
  /** The command as it was called: `docker container run`. */
  readonly name: string;
  readonly flags: ParsedFlags;
  readonly words: readonly string[];
  readonly host: DockerHost;
  readonly stdio: Stdio;
  readonly print: Printer;
}

export interface Command {
  /** After the command's name: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly summary: string;
  /** All the full names it goes by, as the help lists them; empty when there is one alone. */
  readonly aliases: readonly string[];
  readonly flags: readonly Flag[];
  /**
   * Flags that Docker has and Layerbox has not yet: `long`, `long/s`, with `=` behind when they take a value. They are
   * recognised, so that they are refused by name and not called unknown.
   */
  readonly later?: readonly string[];
  /** False: flags end at the first word, as the words after it are another program's. Default true. */
  readonly interspersed?: boolean;
  readonly wordCount: WordCount;
  /** The exit code of what the engine refuses: 125 for what runs a program, as Docker has it. Default 1. */
  readonly failureCode?: number;
  /** The exit code of flags that contradict each other; default: the same. */
  readonly usageFailureCode?: number;
  /** Resolves with the exit code; throws what the engine throws. */
  run(invocation: Invocation): Promise<number>;
}
