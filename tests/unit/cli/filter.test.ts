/** Filters whose values are regular expressions of Go's, as moby's Args.Match takes them. */

import { beforeAll, describe, expect, it } from 'vitest';
import { matchesText } from '../../../src/engine/cli/filter.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

describe('a text that is to fit', () => {
  const rows: readonly (readonly [pattern: string, text: string, fits: boolean])[] = [
    ['web', 'my-web-1', true],
    ['^web$', 'my-web-1', false],
    ['^my-web-1$', 'my-web-1', true],
    ['my\\-web', 'my-web-1', true],
    ['WEB', 'my-web-1', false],
    ['(?i)WEB', 'my-web-1', true],
    ['(?is)^MY.WEB', 'my\nweb', true],
    ['^MY.WEB', 'my\nweb', false],
    ['(?ii)WEB', 'web', true],
    // no expression, but the very text
    ['a[', 'a[', true],
    ['a[', 'a', false],
    ['(?i', 'i', false],
    ['*', 'web', false],
  ];
  it.each(rows)('%s of %j: %s', (pattern, text, fits) => {
    expect(matchesText(pattern, text)).toBe(fits);
  });
});

describe('names', () => {
  let sandbox: TestSandbox;
  beforeAll(async () => {
    sandbox = await openWithBusybox();
    for (const name of ['lan', 'wlan', 'lan-2']) {
      for (const made of ['network create NAME', 'volume create NAME', 'create --name NAME busybox true']) {
        expect(await sandbox.docker(made.replace('NAME', name))).toMatchObject({ code: 0 });
      }
    }
  });

  const kinds: readonly (readonly [command: string, field: string])[] = [
    ['network ls', '.Name'],
    ['volume ls', '.Name'],
    ['ps -a', '.Names'],
  ];
  const rows: readonly (readonly [value: string, want: string])[] = [
    ['^lan$', 'lan'],
    ['lan', 'lan lan-2 wlan'],
    ['(?i)^LAN', 'lan lan-2'],
    ['lan\\-', 'lan-2'],
    ['[', ''],
  ];
  it.each(kinds.flatMap((kind) => rows.map((row) => [...kind, ...row] as const)))(
    'docker %s (%s) -f name=%s: %s',
    async (command, field, value, want) => {
      const { out } = await sandbox.docker([
        ...command.split(' '),
        ...['-f', `name=${value}`, '--format', `{{${field}}}`],
      ]);
      expect(out.trim().split('\n').sort().join(' ')).toBe(want);
    },
  );

  it('and IDs: docker network ls -f id', async () => {
    const id = (await sandbox.docker('network ls -q --no-trunc -f name=^lan$')).out.trim();
    const found = async (value: string) =>
      (await sandbox.docker(['network', 'ls', '-f', `id=${value}`, '--format', '{{.Name}}'])).out.trim();
    expect(await found(`^${id.slice(0, 12)}`)).toBe('lan');
    expect(await found(`^${id.slice(1, 12)}`)).toBe('');
  });
});
