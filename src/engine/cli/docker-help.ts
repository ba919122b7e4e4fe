/** `docker --help` and `docker container --help`, in the layout of Docker's client. */

import { COMMANDS, LATER_COMMANDS, MANAGEMENT, type Management } from './command-table.ts';

const COMMON = ['run', 'exec', 'ps', 'pull', 'images', 'version', 'info'];

/** What `docker help` prints. */
export function dockerHelp(): string {
  const others = [...COMMANDS.keys()].filter((name) => !COMMON.includes(name)).sort();
  const groups = [...MANAGEMENT].map(([name, group]): [string, string] => [name, group.summary]);
  return [
    'Usage:  docker [OPTIONS] COMMAND',
    '',
    'A self-sufficient runtime for containers',
    '',
    'Common Commands:',
    ...COMMON.map((name) => line(name, summary(name))),
    '',
    'Management Commands:',
    ...groups.map(([name, text]) => line(name, text)),
    '',
    'Commands:',
    ...others.map((name) => line(name, summary(name))),
    '',
    'Not yet in Layerbox:',
    ...wrapWords([...LATER_COMMANDS]),
    '',
    'Global Options:',
    '  -v, --version   Print version information and quit',
    '',
    "Run 'docker COMMAND --help' for more information on a command.",
    '',
  ].join('\n');
}

/** What `docker container` prints. */
export function managementHelp(name: string, group: Management): string {
  const names = [...group.commands.keys()].filter((command) => !group.hidden.includes(command)).sort();
  return [
    `Usage:  ${name} COMMAND`,
    '',
    group.summary,
    '',
    'Commands:',
    ...names.map((command) => line(command, group.commands.get(command)?.summary ?? '')),
    '',
    ...(group.later.length === 0 ? [] : ['Not yet in Layerbox:', ...wrapWords(group.later), '']),
    `Run '${name} COMMAND --help' for more information on a command.`,
    '',
  ].join('\n');
}

/** Its first sentence: where there are more, the command's own help has them. */
function summary(name: string): string {
  return COMMANDS.get(name)?.summary.replace(/\.\n.*$/s, '') ?? '';
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(12)}${text}`;
}

function wrapWords(words: readonly string[]): string[] {
  const lines: string[] = [];
  let current = ' ';
  for (const word of words) {
    if (current.length + word.length + 2 > 78) {
      lines.push(current);
      current = ' ';
    }
    current += ` ${word}`;
  }
  return [...lines, current];
}
