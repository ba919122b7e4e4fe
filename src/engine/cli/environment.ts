/** `-e NAME=value`, `-e NAME`, `--env-file`: the environment that a command line asks for. */

import { printableName } from '../names.ts';
import type { Flag } from './command.ts';
import type { DockerHost } from './docker-host.ts';
import type { ParsedFlags } from './parse.ts';
import { refusal } from './refusal.ts';
import type { Stdio } from './stdio.ts';

export const ENVIRONMENT_FLAGS: readonly Flag[] = [
  {
    long: 'env',
    short: 'e',
    type: 'list',
    help: 'Set environment variables',
    check: (value) => (/^(?!=)./s.test(value) ? undefined : `invalid environment variable: ${value}`),
  },
  { long: 'env-file', type: 'list', help: 'Read in a file of environment variables' },
];

/** What the flags say, files first: `NAME=value` sets; a bare `NAME` is one that is not set here either. UsageError. */
export async function environmentOf(
  flags: ParsedFlags,
  host: DockerHost,
  stdio: Stdio,
): Promise<readonly string[]> {
  const entries: string[] = [];
  for (const file of flags.list('env-file')) {
    const path = file.startsWith('/') ? file : `${stdio.cwd.replace(/\/$/, '')}/${file}`;
    const text = await host.readHostFile(path);
    if (text === undefined) {
      throw refusal(`open ${printableName(file)}: no such file or directory`);
    }
    entries.push(...parseEnvFile(file, text, stdio.env));
  }
  return [...entries, ...flags.list('env').flatMap((entry) => withValue(entry, stdio.env))];
}

/** The lines of an env file: blank ones and those that start with # are none. UsageError in Docker's words. */
export function parseEnvFile(
  file: string,
  text: string,
  env: Readonly<Record<string, string>>,
  kind: 'env' | 'label' = 'env',
): readonly string[] {
  return text.split('\n').flatMap((raw) => {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) return [];
    const equals = line.indexOf('=');
    const name = equals < 0 ? line : line.slice(0, equals);
    const shown = printableName(file);
    if (/\s/.test(name)) {
      throw refusal(
        `invalid ${kind} file (${shown}): variable '${printableName(name)}' contains whitespaces`,
      );
    }
    if (name === '')
      throw refusal(`invalid ${kind} file (${shown}): no variable name on line '${printableName(line)}'`);
    if (equals >= 0) return [line];
    if (kind === 'label') return [line];
    return Object.hasOwn(env, line) ? [`${line}=${env[line] ?? ''}`] : [];
  });
}

function withValue(entry: string, env: Readonly<Record<string, string>>): string[] {
  if (entry.includes('=') || !Object.hasOwn(env, entry)) return [entry];
  return [`${entry}=${env[entry] ?? ''}`];
}
