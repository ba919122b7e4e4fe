/**
 * The help of each command beside that of the docker client: word for word where all flags are here; where some are not
 * yet, these are named, and all others are as Docker has them.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/engine/cli/command.ts';
import { COMMANDS, MANAGEMENT } from '../../src/engine/cli/command-table.ts';
import { commandHelp, flagUsages } from '../../src/engine/cli/help.ts';

const recorded: { readonly version: string; readonly help: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recorded/help.json'), 'utf8'),
);

/** Commands of plugins, which the client that was recorded does not have. */
const PLUGINS = ['buildx', 'scout'];

/** Flags of Layerbox alone, by what their help says. */
const OWN = '(Layerbox only)';

/** `docker manifest` is an experiment there: its help has a paragraph on that. */
const EXPERIMENTAL = /\n\nEXPERIMENTAL:\n[\s\S]*?experimental\/\n/;

const all: readonly (readonly [string, Command])[] = [
  ...COMMANDS,
  ...[...MANAGEMENT].flatMap(([group, { commands, hidden }]) =>
    // the client shows the help of `ls` for `list`
    [...commands]
      .filter(([name]) => !hidden.includes(name))
      .map(([name, command]) => [`${group} ${name}`, command] as const),
  ),
].filter(([name]) => !PLUGINS.includes(name.split(' ')[0] ?? ''));

describe(`help, as recorded from ${recorded.version}: \`tsx tests/golden/record-help.ts\` records it again`, () => {
  it.each(all)('docker %s --help', (name, command) => {
    const want = recorded.help[name]?.replace(EXPERIMENTAL, '\n');
    if (want === undefined) throw new Error(`docker ${name} is not recorded`);
    const flags = command.flags.filter(({ help }) => !help.endsWith(OWN));
    const later = (command.later ?? []).map((flag) => flag.replace(/[/=].*$/, ''));
    if (later.length === 0) {
      expect(commandHelp(`docker ${name}`, { ...command, flags })).toBe(want);
      return;
    }
    expect(commandHelp(`docker ${name}`, command).split('\nOptions:\n')[0]).toBe(
      want.split('\nOptions:\n')[0],
    );
    // the width of the first column depends on the flags that are there: compared without it
    const words = (text: string) => text.replace(/\s+/g, ' ').trim();
    const theirs = flagsOf(want);
    const ours = flagsOf(`Options:\n${flagUsages(flags)}`);
    for (const [flag, text] of ours)
      expect(words(text), flag).toBe(words(theirs.get(flag) ?? 'not in Docker'));
    expect([...ours.keys(), ...later.filter((flag) => theirs.has(flag))].sort()).toEqual(
      [...theirs.keys()].sort(),
    );
  });
});

/** Each flag's part of the help. */
function flagsOf(help: string): ReadonlyMap<string, string> {
  const options = help.split('Options:\n')[1] ?? '';
  const parts = options.split(/^(?= {2}(?:-\w, | {4})--)/m).filter((part) => part.trim() !== '');
  return new Map(parts.map((part) => [/--([\w-]+)/.exec(part)?.[1] ?? '', part]));
}
