/** Help as recorded from docker 28.2.2 at 80 columns (tests/golden), of commands whose flags are all here. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSandbox } from '../container/sandbox.ts';

const recorded: { readonly help: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/recorded/help.json'), 'utf8'),
);

const lines = [
  'stop',
  'kill',
  'ps',
  'logs',
  'diff',
  'info',
  'version',
  'container ls',
  'container inspect',
  'inspect',
  'restart',
  'pause',
  'unpause',
  'wait',
  'attach',
  'exec',
  'top',
  'stats',
  'rename',
  'rm',
  'events',
  'container prune',
];

describe('help', () => {
  it.each(lines)('docker %s --help', async (line) => {
    const { docker } = await openSandbox();
    const text = recorded.help[line];
    expect(text).toContain(`Usage:  docker ${line} `);
    expect(await docker(`${line} --help`)).toEqual({ code: 0, out: text, err: '' });
    expect(await docker(`help ${line}`)).toEqual({ code: 0, out: text, err: '' });
  });

  it('of a command names the flags that are not here yet', async () => {
    const { docker } = await openSandbox();
    const { out } = await docker('pull --help');
    expect(out).toContain('Not yet in Layerbox:\n  --disable-content-trust\n');
    expect(out).toContain('      --platform string   Set platform if server is multi-platform capable\n');
  });

  it('with -h says that it is deprecated, as the words come before those of the command', async () => {
    const { docker } = await openSandbox();
    const { out, err, code } = await docker('ps -h');
    expect({ err, code }).toEqual({ err: 'Flag shorthand -h has been deprecated, use --help\n', code: 0 });
    expect(out).toMatch(/^Usage: {2}docker ps \[OPTIONS\]\n/);
  });

  it('of docker lists the commands that are here and those that are not', async () => {
    const { docker } = await openSandbox();
    const { out } = await docker('--help');
    expect(out).toMatch(
      /^Usage: {2}docker \[OPTIONS\] COMMAND\n\nA self-sufficient runtime for containers\n/,
    );
    expect(out).toContain('\n  run         Create and run a new container from an image\n');
    expect(out).toMatch(/Not yet in Layerbox:\n(?: {2}\S.*\n)*.*\bbuild\b/);
    expect((await docker('help')).out).toBe(out);
    expect(await docker([])).toEqual({ code: 0, out: '', err: out });
    for (const line of out.split('\n')) expect(line.length).toBeLessThan(100);
  });

  it('of a management command', async () => {
    const { docker } = await openSandbox();
    const { err, code } = await docker('container');
    expect(code).toBe(0);
    expect(err).toContain('\n  ls          List containers\n');
    expect((await docker('help container')).out).toBe(err);
    expect((await docker('container --help')).out).toBe(err);
  });
});
