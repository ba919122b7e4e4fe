/** Names, labels and histories that somebody else has written break no table, whatever they say. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeClient } from '../container/fake-client.ts';
import type { TestSandbox } from '../container/sandbox.ts';
import { DANGEROUS, HOSTILE, HOSTILE_WORD, openHostile } from './hostile-sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await openHostile();
});
afterAll(() => sandbox.engine.close());

/** Each with the number of its lines, the header's among them: none is added by what a cell says. */
const TABLES: readonly (readonly [string, number])[] = [
  ['ps -a', 4],
  ['ps -a --no-trunc', 4],
  ['ps -as', 4],
  ['ps -a --format table', 4],
  ['images', 2],
  ['images --tree', 3],
  ['images --format table', 2],
  ['images --digests --no-trunc', 2],
  ['history localhost:5000/app', 3],
  ['history --no-trunc localhost:5000/app', 3],
  ['history -H=false localhost:5000/app', 3],
  ['volume ls', 2],
  ['network ls', 5],
  ['network ls --no-trunc', 5],
  ['top web', 3],
  ['top web aux', 3],
  ['top web -o pid,comm,args', 3],
  ['stats --no-stream', 2],
  ['system df', 5],
  ['diff litterer', 4],
  ['port web', 0],
];

describe.each([
  ['a pipe', undefined],
  ['a terminal of 80 columns', 80],
])('in %s', (_, columns) => {
  const printed = async (argv: readonly string[]) => {
    if (columns === undefined) return (await sandbox.docker(argv)).out;
    const client = new FakeClient(argv, true, { rows: 24, columns });
    sandbox.machine.connect(client);
    await client.exited;
    // the legend stands above the images
    return client.out.replace(/^.*i Info →.*\n/, '');
  };

  it.each(TABLES)('docker %s has its lines, and no character that a terminal obeys', async (line, count) => {
    const out = await printed(line.split(' '));
    expect(DANGEROUS.exec(out)?.[0]).toBe(undefined);
    expect(out).not.toContain('\t');
    expect(out.split('\n').length - 1).toBe(count);
  });

  it('docker system df -v has no character that a terminal obeys', async () => {
    const out = await printed(['system', 'df', '-v']);
    expect(DANGEROUS.exec(out)?.[0]).toBe(undefined);
    expect(out.split('\n').filter((line) => /web$|litterer$|sayer$/.test(line)).length).toBe(3);
  });

  it('docker events tells each in one line', async () => {
    const out = await printed(['events', '--since', '1h', '--until', '0s']);
    expect(DANGEROUS.exec(out)?.[0]).toBe(undefined);
    const lines = out.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines)
      expect(line).toMatch(/^2026-01-02T[\d:.]+Z (container|image|volume|network) \w+/);
  });
});

describe('what is hostile', () => {
  it('is there: the tables above have something to hide', async () => {
    const labels = ['inspect', '-f', '{{json .Config.Labels}}', 'web'];
    expect(JSON.parse((await sandbox.docker(labels)).out)).toMatchObject({ [HOSTILE_WORD]: HOSTILE });
    const [image] = JSON.parse((await sandbox.docker('image inspect localhost:5000/app')).out);
    expect(image).toMatchObject({ Author: HOSTILE, Config: { Labels: { plain: HOSTILE } } });
  });

  it('stands where its column is, made harmless', async () => {
    const { out } = await sandbox.docker('history localhost:5000/app');
    const [header = '', , row = ''] = out.split('\n');
    const at = header.indexOf('COMMENT');
    expect(row.slice(at)).toMatch(/^a\?\[31mred\?\]0;title\?/);
    const names = (await sandbox.docker('diff litterer')).out.split('\n').map((line) => line.slice(0, 5));
    expect(names).toEqual(expect.arrayContaining(['A /a?', 'A /k?', 'A /pl']));
  });

  it('does not stop a container from having logs: they are the programs own words, byte by byte', async () => {
    const { out, err } = await sandbox.docker('logs sayer');
    expect({ out, err }).toEqual({ out: `${HOSTILE}\n`, err: `${HOSTILE}\n` });
  });
});
