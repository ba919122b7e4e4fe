/** `docker ...`: argv to a command, a command to its exit code. */

import { CancelledError, CannotStartError, type LayerboxError, NotYetError, UsageError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { Command, Invocation } from './command.ts';
import { COMMANDS, findCommand, LATER_COMMANDS, MANAGEMENT, notYet } from './command-table.ts';
import { dockerHelp, managementHelp } from './docker-help.ts';
import type { DockerHost } from './docker-host.ts';
import { errorText, printableText } from './error-text.ts';
import { commandHelp, usageLine } from './help.ts';
import { checkWordCount, type Parsed, parseCommandLine } from './parse.ts';
import { Printer } from './printer.ts';
import { refusal } from './refusal.ts';
import type { Stdio } from './stdio.ts';
import { clientVersion } from './version-words.ts';

const GLOBAL_FLAGS = [
  { long: 'version', short: 'v', type: 'bool', help: 'Print version information and quit' },
] as const;
const LATER_GLOBAL_FLAGS = [
  'config=',
  'context/c=',
  'debug/D',
  'host/H=',
  'log-level/l=',
  'tls',
  'tlscacert=',
  'tlscert=',
  'tlskey=',
  'tlsverify',
];

/** A command line that ends with Ctrl-C: 128 and SIGINT. */
const INTERRUPTED = 130;

/**
 * Runs one docker command; `argv` is what follows `docker`. Resolves with its exit code; whatever goes wrong is told on
 * standard error. Rejects only when standard error itself cannot be written.
 */
export async function runDocker(argv: readonly string[], stdio: Stdio, host: DockerHost): Promise<number> {
  const print = new Printer(stdio);
  const call: Call = { name: 'docker', command: undefined };
  try {
    return await dispatch(argv, stdio, host, print, call);
  } catch (error) {
    if (stdio.signal.aborted || error instanceof CancelledError) return INTERRUPTED;
    const { text, code } = report(error, call);
    await print.error(text);
    return code;
  }
}

interface Call {
  name: string;
  command: Command | undefined;
}

async function dispatch(
  argv: readonly string[],
  stdio: Stdio,
  host: DockerHost,
  print: Printer,
  call: Call,
): Promise<number> {
  const top = parseCommandLine(argv, { flags: GLOBAL_FLAGS, later: LATER_GLOBAL_FLAGS, interspersed: false });
  const columns = stdio.terminal.stdout ? stdio.size().columns : undefined;
  if (top.help !== false) {
    await noteShortHelp(top, print);
    await print.text(dockerHelp());
    return 0;
  }
  if (top.flags.bool('version')) {
    await print.line(clientVersion());
    return 0;
  }
  if (top.words.length === 0) {
    await print.error(dockerHelp().trimEnd());
    return 0;
  }
  if (top.words[0] === 'help') return helpCommand(top.words.slice(1), print, columns);

  const found = findCommand(top.words);
  call.name = found.name;
  if (found.group !== undefined) {
    const text = managementHelp(found.name, found.group);
    if (found.help) await print.text(text);
    else await print.error(text.trimEnd());
    return 0;
  }
  const { command } = found;
  call.command = command;
  const parsed = parseCommandLine(found.rest, command);
  if (parsed.help !== false) {
    await noteShortHelp(parsed, print);
    await print.text(commandHelp(found.name, command, columns));
    return 0;
  }
  checkWordCount(found.name, parsed.words, command.wordCount);
  const { flags, words } = parsed;
  const invocation: Invocation = { name: found.name, flags, words, host, stdio, print };
  return command.run(invocation);
}

async function noteShortHelp(parsed: Parsed, print: Printer): Promise<void> {
  if (parsed.help === 'short') await print.error('Flag shorthand -h has been deprecated, use --help');
}

async function helpCommand(
  words: readonly string[],
  print: Printer,
  columns: number | undefined,
): Promise<number> {
  const topics = words.filter((word) => !word.startsWith('-'));
  if (topics.length === 0) {
    await print.text(dockerHelp());
    return 0;
  }
  const [first = '', second] = topics;
  const group = MANAGEMENT.get(first);
  const command =
    group === undefined ? COMMANDS.get(first) : second === undefined ? undefined : group.commands.get(second);
  const depth = group === undefined ? 1 : 2;
  const extra = topics[depth];
  if (extra === undefined && group !== undefined && second === undefined) {
    await print.text(managementHelp(`docker ${first}`, group));
    return 0;
  }
  if (command === undefined || extra !== undefined) {
    const topic = extra ?? topics[Math.min(depth, topics.length) - 1] ?? first;
    if (extra === undefined && LATER_COMMANDS.has(first)) throw notYet(first);
    throw refusal(`unknown help topic: ${printableName(topic)}`);
  }
  await print.text(commandHelp(`docker ${topics.slice(0, depth).join(' ')}`, command, columns));
  return 0;
}

/** What to say of a failure, and the exit code. */
function report(error: unknown, { name, command }: Call): { text: string; code: number } {
  const message = printableText(error instanceof Error ? error.message : String(error));
  if (error instanceof UsageError) return reportUsage(message, error, name, command);
  const failureCode = command?.failureCode;
  const prefixed = errorText(error);
  if (error instanceof NotYetError) return { text: `docker: ${message}`, code: failureCode ?? 1 };
  const { exitCode } = error instanceof CannotStartError ? error.data : {};
  if (failureCode === undefined) {
    // what an exec could not start is told by the runtime itself
    const text = error instanceof CannotStartError ? message : prefixed;
    return { text, code: typeof exitCode === 'number' ? exitCode : 1 };
  }
  return {
    text: `docker: ${prefixed}\n\nRun '${name} --help' for more information`,
    code: typeof exitCode === 'number' ? exitCode : failureCode,
  };
}

function reportUsage(
  message: string,
  error: LayerboxError,
  name: string,
  command: Command | undefined,
): { text: string; code: number } {
  const { exitCode, plain, see } = error.data;
  const failureCode = command?.usageFailureCode ?? command?.failureCode;
  const code = typeof exitCode === 'number' ? exitCode : plain === true ? (failureCode ?? 1) : 125;
  if (plain === true) {
    if (failureCode === undefined || code !== failureCode) return { text: message, code };
    return { text: `docker: ${message}\n\nRun '${name} --help' for more information`, code };
  }
  const usage = command === undefined ? `${name} [OPTIONS] COMMAND [ARG...]` : usageLine(name, command);
  // only an unknown flag of docker itself, or words in the wrong number, come here
  const showsUsage = !(command === undefined && exitCode === 1);
  const shown = showsUsage ? `\n\nUsage:  ${usage}` : '';
  return {
    text: `${message}${shown}\n\n${see === 'See' ? 'See' : 'Run'} '${name} --help' for more information`,
    code,
  };
}
