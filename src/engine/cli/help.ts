/** Help and usage in the layout of Docker's client: flags wrapped to the terminal's width as the pflag library does. */

import type { Command, Flag } from './command.ts';

/** Columns that help is wrapped to when no terminal says otherwise. */
const DEFAULT_COLUMNS = 80;
/** A line may go this far beyond its measure when the text ends there: no orphaned last word. */
const SLOP = 5;
const MIN_MEASURE = 24;

/** What `docker CMD --help` prints. */
export function commandHelp(name: string, command: Command, columns = DEFAULT_COLUMNS): string {
  let text = `Usage:  ${usageLine(name, command)}\n\n${command.summary}\n`;
  if (command.aliases.length > 0) text += `\nAliases:\n  ${command.aliases.join(', ')}\n`;
  if (command.flags.length > 0) text += `\nOptions:\n${flagUsages(command.flags, columns)}`;
  if (command.later !== undefined && command.later.length > 0) {
    const names = command.later.map((flag) => `--${flag.replace(/[/=].*$/, '')}`);
    text += `\nNot yet in Layerbox:\n  ${wrap(names.join(', '), 2, columns - 1)}\n`;
  }
  return text;
}

/** `docker run [OPTIONS] IMAGE [COMMAND] [ARG...]` */
export function usageLine(name: string, command: Command): string {
  return command.usage === '' ? name : `${name} ${command.usage}`;
}

/** One line or more per flag, sorted by name, each ended by a line feed. */
export function flagUsages(flags: readonly Flag[], columns = DEFAULT_COLUMNS): string {
  const sorted = flags.filter(({ hidden }) => hidden !== true).sort((a, b) => (a.long < b.long ? -1 : 1));
  const rows = sorted.map((flag) => ({ left: flagWords(flag), help: flagHelp(flag) }));
  const indent = Math.max(0, ...rows.map((row) => row.left.length)) + 3;
  return rows.map(({ left, help }) => `${left.padEnd(indent)}${wrap(help, indent, columns - 1)}\n`).join('');
}

function flagWords(flag: Flag): string {
  const name = flag.short === undefined ? `      --${flag.long}` : `  -${flag.short}, --${flag.long}`;
  const type = flag.typeName ?? (flag.type === 'bool' ? '' : flag.type);
  return type === '' ? name : `${name} ${type}`;
}

function flagHelp(flag: Flag): string {
  const { default: value, help } = flag;
  if (value === undefined || value === false || value === '') return help;
  return `${help} (default ${typeof value === 'string' ? JSON.stringify(value) : value})`;
}

/** The text with all lines but the first indented, none wider than `columns`. */
function wrap(text: string, indent: number, columns: number): string {
  let margin = indent;
  let prefix = '';
  let measure = columns - margin;
  if (measure < MIN_MEASURE) {
    margin = 16;
    measure = columns - margin;
    prefix = `\n${' '.repeat(margin)}`;
  }
  const newLine = `\n${' '.repeat(margin)}`;
  if (measure < MIN_MEASURE) return text.replaceAll('\n', newLine);
  const lines: string[] = [];
  let rest = text;
  while (rest !== '' || lines.length === 0) {
    const [line, after] = splitLine(rest, measure - SLOP);
    lines.push(line.replaceAll('\n', newLine));
    rest = after;
  }
  return prefix + lines.join(newLine);
}

function splitLine(text: string, measure: number): [string, string] {
  if (measure + SLOP > text.length) return [text, ''];
  const head = text.slice(0, measure);
  const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'));
  if (space <= 0) return [text, ''];
  const lineFeed = head.lastIndexOf('\n');
  const at = lineFeed > 0 && lineFeed < space ? lineFeed : space;
  return [text.slice(0, at), text.slice(at + 1)];
}
