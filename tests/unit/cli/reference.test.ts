/** docs/cli.md is what the commands are. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS, MANAGEMENT } from '../../../src/engine/cli/command-table.ts';
import { commandReference } from '../../../src/engine/cli/reference.ts';

describe('docs/cli.md', () => {
  it('is up to date: `npm run docs:cli` makes it again', () => {
    const written = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
    expect(written).toBe(commandReference());
  });

  it('has every command, and every flag of each', () => {
    const page = commandReference();
    const groups = [...MANAGEMENT].flatMap(([group, { commands, hidden }]) =>
      [...commands]
        .filter(([name]) => !hidden.includes(name))
        .map(([name, command]) => [`${group} ${name}`, command] as const),
    );
    for (const [name, { flags, later = [] }] of [...COMMANDS, ...groups]) {
      expect(page, name).toContain(`docker ${name}`);
      for (const { long, help } of flags)
        if (help !== '') expect(page, `docker ${name}`).toContain(`\`--${long}\``);
      for (const flag of later)
        expect(page, `docker ${name}`).toContain(`\`--${flag.replace(/[/=].*$/, '')}\``);
    }
  });

  it('names what is not there yet', () => {
    for (const [, { later }] of MANAGEMENT)
      for (const name of later) if (name !== '') expect(commandReference()).toContain(name);
  });
});
