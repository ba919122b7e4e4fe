/**
 * The words of a command line, read as Docker's client (the pflag library) reads them: `--flag value`,
 * `--flag=value`, `-f value`, `-fvalue`, `-f=value`, `-abc`, `--` ends the flags; a boolean takes a value
 * only with `=`. Errors carry the words of docker 28.2.2.
 */

import { NotYetError, UsageError } from '../errors.ts';
import type { Flag, WordCount } from './command.ts';

/** The flags of one call: what was given, or the flag's default. */
export class ParsedFlags {
  readonly #values = new Map<string, string[]>();
  readonly #flags: ReadonlyMap<string, Flag>;

  constructor(flags: readonly Flag[]) {
    this.#flags = new Map(flags.map((flag) => [flag.long, flag]));
  }

  add(flag: Flag, value: string): void {
    const given = this.#values.get(flag.long);
    if (given === undefined) this.#values.set(flag.long, [value]);
    else given.push(value);
  }

  given(long: string): boolean {
    return this.#values.has(long);
  }

  bool(long: string): boolean {
    const value = this.#values.get(long)?.at(-1);
    if (value === undefined) return this.#declared(long).default === true;
    return parseBool(value) === true;
  }

  string(long: string): string {
    const value = this.#values.get(long)?.at(-1);
    return value ?? String(this.#declared(long).default ?? '');
  }

  int(long: string): number {
    const value = this.#values.get(long)?.at(-1);
    return value === undefined ? Number(this.#declared(long).default ?? 0) : Number(value);
  }

  list(long: string): readonly string[] {
    this.#declared(long);
    return this.#values.get(long) ?? [];
  }

  #declared(long: string): Flag {
    const flag = this.#flags.get(long);
    if (flag === undefined) throw new TypeError(`the command declares no flag --${long}`);
    return flag;
  }
}

export interface Parsed {
  readonly flags: ParsedFlags;
  readonly words: readonly string[];
  /** `--help` was given: nothing else counts. `short`: as `-h`, which Docker calls deprecated. */
  readonly help: false | 'long' | 'short';
}

export interface Syntax {
  readonly flags: readonly Flag[];
  readonly later?: readonly string[];
  readonly interspersed?: boolean;
}

/** Flags and words of a command line. UsageError in Docker's words; NotYetError for a flag of `later`. */
export function parseCommandLine(argv: readonly string[], syntax: Syntax): Parsed {
  const flags = new ParsedFlags(syntax.flags);
  const later = (syntax.later ?? []).map(laterFlag);
  const known = [...syntax.flags, ...later];
  const words: string[] = [];
  const rest = [...argv];
  const refused = new Set<string>();
  const give = (flag: Flag, value: string) => {
    checkValue(flag, value);
    if (later.includes(flag)) refused.add(flag.long);
    else flags.add(flag, value);
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      words.push(...rest);
      break;
    }
    if (word === '-' || !word.startsWith('-')) {
      words.push(word);
      if (syntax.interspersed === false) {
        words.push(...rest);
        break;
      }
      continue;
    }
    const help = word.startsWith('--')
      ? longFlag(word, rest, known, give)
      : shortFlags(word, rest, known, give);
    if (help !== false) return { flags, words, help };
  }
  const [first] = refused;
  if (first !== undefined) {
    throw new NotYetError(`the flag --${first} is not yet supported by Layerbox`, { flag: first });
  }
  return { flags, words, help: false };
}

type Give = (flag: Flag, value: string) => void;

function longFlag(word: string, rest: string[], known: readonly Flag[], give: Give): false | 'long' {
  const body = word.slice(2);
  if (body.startsWith('-') || body.startsWith('=')) throw new UsageError(`bad flag syntax: ${word}`);
  const equals = body.indexOf('=');
  const name = equals < 0 ? body : body.slice(0, equals);
  const flag = known.find((candidate) => candidate.long === name);
  if (flag === undefined) {
    if (name === 'help') return 'long';
    throw new UsageError(`unknown flag: --${name}`);
  }
  if (equals >= 0) give(flag, body.slice(equals + 1));
  else if (flag.type === 'bool') give(flag, 'true');
  else {
    const value = rest.shift();
    if (value === undefined) throw new UsageError(`flag needs an argument: --${name}`);
    give(flag, value);
  }
  return false;
}

function shortFlags(word: string, rest: string[], known: readonly Flag[], give: Give): false | 'short' {
  let letters = word.slice(1);
  while (letters !== '') {
    const [letter = ''] = letters;
    const after = letters.slice(letter.length);
    const flag = known.find((candidate) => candidate.short === letter);
    if (flag === undefined) {
      if (letter === 'h') return 'short';
      throw new UsageError(`unknown shorthand flag: '${letter}' in -${letters}`);
    }
    if (after.length > 1 && after.startsWith('=')) {
      give(flag, after.slice(1));
      return false;
    }
    if (flag.type === 'bool') {
      give(flag, 'true');
      letters = after;
      continue;
    }
    const value = after === '' ? rest.shift() : after;
    if (value === undefined) throw new UsageError(`flag needs an argument: '${letter}' in -${letters}`);
    give(flag, value);
    return false;
  }
  return false;
}

/** `publish/p=` is a flag --publish, -p with a value. */
function laterFlag(text: string): Flag {
  const takesValue = text.endsWith('=');
  const [long = '', short] = (takesValue ? text.slice(0, -1) : text).split('/');
  const flag: Flag = { long, type: takesValue ? 'string' : 'bool', help: '' };
  return short === undefined ? flag : { ...flag, short };
}

function checkValue(flag: Flag, value: string): void {
  const wrong = valueFault(flag, value);
  if (wrong === undefined) return;
  const name = flag.short === undefined ? `--${flag.long}` : `-${flag.short}, --${flag.long}`;
  throw new UsageError(
    `invalid argument ${JSON.stringify(value)} for ${JSON.stringify(name)} flag: ${wrong}`,
  );
}

function valueFault(flag: Flag, value: string): string | undefined {
  const parsing = `parsing ${JSON.stringify(value)}: invalid syntax`;
  if (flag.type === 'bool' && parseBool(value) === undefined) return `strconv.ParseBool: ${parsing}`;
  if (flag.type === 'int' && !/^[+-]?\d{1,15}$/.test(value)) return `strconv.ParseInt: ${parsing}`;
  return flag.check?.(value);
}

/** As Go's strconv.ParseBool. */
export function parseBool(value: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  return undefined;
}

/**
 * Throws UsageError when the number of words is not what the command takes. Its `data.see` holds the verb that
 * docker 28.2.2 has before its hint: it differs from message to message.
 */
export function checkWordCount(name: string, words: readonly string[], count: WordCount): void {
  const { min, max } = count;
  if (words.length >= min && (max === undefined || words.length <= max)) return;
  const number = (n: number) => `${n} argument${n === 1 ? '' : 's'}`;
  if (max === 0) throw new UsageError(`docker: '${name}' accepts no arguments`, { exitCode: 1 });
  if (max === min) throw new UsageError(`docker: '${name}' requires ${number(min)}`, { exitCode: 1 });
  if (max === undefined) {
    throw new UsageError(`docker: '${name}' requires at least ${number(min)}`, { exitCode: 1, see: 'See' });
  }
  if (min === 0) throw new UsageError(`docker: '${name}' requires at most ${number(max)}`, { exitCode: 1 });
  throw new UsageError(`docker: '${name}' requires at least ${min} and at most ${number(max)}`, {
    exitCode: 1,
  });
}
