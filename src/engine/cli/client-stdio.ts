/** The Stdio of a `docker` program in the guest. */

import type { Client, TerminalSize } from '../container/machine.ts';
import { CancelledError } from '../errors.ts';
import type { Stdio } from './stdio.ts';

const SIGINT = 2;
const SIGTERM = 15;
const SIGHUP = 1;

/**
 * What a command talks to when it was typed in the guest. The program dies of a signal by itself unless its command
 * asked to have them forwarded; then the command hears of them and decides.
 */
export function clientStdio(client: Client): Stdio {
  let size = client.terminal.size;
  let forwards = false;
  const aborted = new AbortController();
  const listeners: ((number: number) => void)[] = [];
  const gone = () => aborted.abort(client.gone.reason);
  if (client.gone.aborted) gone();
  else client.gone.addEventListener('abort', gone, { once: true });
  client.onResize((next) => {
    size = next;
  });
  client.onSignal((number) => {
    for (const listener of listeners) listener(number);
    const isEnd = number === SIGINT || number === SIGTERM || number === SIGHUP;
    if (isEnd && !forwards) aborted.abort();
  });
  const left = new Promise<never>((_, reject) => {
    const leave = () => reject(new CancelledError('the docker program has gone'));
    if (client.gone.aborted) leave();
    else client.gone.addEventListener('abort', leave, { once: true });
  });
  left.catch(() => undefined); // only a write that waits for its reader wants to know
  return {
    write: (stream, bytes) => Promise.race([client.write(stream, bytes), left]),
    input: client.input,
    terminal: client.terminal,
    size: (): TerminalSize => size,
    onResize: (listener) => client.onResize(listener),
    onSignal: (listener) => {
      listeners.push(listener);
    },
    attach: (options) => {
      forwards = options.signals;
      client.attach(options);
    },
    signal: aborted.signal,
    cwd: client.cwd,
    env: environment(client.env),
  };
}

/** `NAME=value` words as a table; of a name that comes twice the first, as getenv(3) has it. */
export function environment(words: readonly string[]): Readonly<Record<string, string>> {
  const env = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = word.slice(0, equals);
    if (equals > 0 && !env.has(name)) env.set(name, word.slice(equals + 1));
  }
  return Object.fromEntries(env);
}
