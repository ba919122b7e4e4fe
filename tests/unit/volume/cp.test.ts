/** `docker cp` of containers that do not run, as tar, with no machine at all; the tars are GNU tar's. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longNameTarOf } from '../../../src/engine/container/long-name-tar.ts';
import type { Piece } from '../../../src/engine/unionfs/pieces.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

const folder = mkdtempSync(join(tmpdir(), 'layerbox-cp-'));
afterAll(() => rmSync(folder, { recursive: true }));

let sandbox: TestSandbox;
let tar: Buffer;
beforeAll(async () => {
  sandbox = await openWithBusybox({ withoutMachine: true });
  mkdirSync(join(folder, 'made/sub'), { recursive: true });
  writeFileSync(join(folder, 'made/sub/f'), 'hello');
  tar = execFileSync('tar', ['-C', folder, '--owner=7', '--group=8', '-cf', '-', 'made']);
});

let count = 0;
async function container(...flags: string[]): Promise<string> {
  count += 1;
  const name = `web${count}`;
  const { code, err } = await sandbox.docker(['create', '--name', name, ...flags, 'busybox', 'true']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return name;
}

/** `docker cp` with standard input: what it printed, as a tar lists it. */
async function cp(words: readonly string[], input?: Uint8Array) {
  const chunks: Uint8Array[] = [];
  const { code, err } = await sandbox.docker(['cp', ...words], {
    ...(input !== undefined && {
      input: (async function* () {
        yield input;
      })(),
    }),
    write: async (stream, bytes) => {
      if (stream === 'out') chunks.push(bytes.slice());
    },
  });
  return { code, err, tar: Buffer.concat(chunks) };
}
const list = (bytes: Buffer, ...flags: string[]) =>
  execFileSync('tar', ['--numeric-owner', ...flags, '-tf', '-'], { input: bytes })
    .toString()
    .trim()
    .split('\n');
const ok = { code: 0, err: '' };

describe('docker cp', () => {
  it('unpacks a tar into a directory, with its owners, and gives it back', async () => {
    const name = await container();
    expect(await cp(['-', `${name}:/srv`], tar)).toMatchObject({
      code: 1,
      err: expect.stringContaining('must be a directory'),
    });
    expect(await cp(['-', `${name}:/tmp`], tar)).toMatchObject(ok);
    const back = await cp([`${name}:/tmp/made`, '-']);
    expect(
      list(back.tar, '-v').map((line) => line.replace(/ +/g, ' ').replace(/\d{4}-.*? [\d:]+ /, '')),
    ).toEqual([
      expect.stringMatching(/^drwx\S+ 7\/8 0 made\/$/),
      expect.stringMatching(/^drwx\S+ 7\/8 0 made\/sub\/$/),
      expect.stringMatching(/^-rw\S+ 7\/8 5 made\/sub\/f$/),
    ]);
    expect(list((await cp([`${name}:tmp/made/.`, '-'])).tar)).toEqual(['./', 'sub/', 'sub/f']);
    expect(list((await cp([`${name}:/tmp/made/sub/f`, '-'])).tar)).toEqual(['f']);
    expect((await sandbox.docker(['diff', name])).out).toContain('A /tmp/made/sub/f\n');
  });

  it('with -a gives what is copied to the user of the container', async () => {
    const name = await container('-u', '1000:50');
    expect(await cp(['-a', '-', `${name}:/tmp`], tar)).toMatchObject(ok);
    expect(list((await cp([`${name}:/tmp/made/sub/f`, '-'])).tar, '-v')[0]).toContain(' 1000/50 ');
  });

  it('copies a link as a link, and with -L what it leads to, under its name', async () => {
    const name = await container();
    const link = execFileSync('sh', ['-c', `cd ${folder} && ln -s /etc/passwd link && tar -cf - link`]);
    await cp(['-', `${name}:/tmp`], link);
    expect(list((await cp([`${name}:/tmp/link`, '-'])).tar, '-v')[0]).toContain('link -> /etc/passwd');
    expect(list((await cp(['-L', `${name}:/tmp/link`, '-'])).tar, '-v')[0]).toMatch(/^-.* link$/);
  });

  it('follows a link to the directory that it is to copy to, inside the root', async () => {
    const name = await container();
    const link = execFileSync('sh', ['-c', `cd ${folder} && ln -s ../../../../tmp there && tar -cf - there`]);
    await cp(['-', `${name}:/etc`], link);
    expect(await cp(['-', `${name}:/etc/there`], tar)).toMatchObject(ok);
    expect(list((await cp([`${name}:/tmp/made/sub`, '-'])).tar)).toEqual(['sub/', 'sub/f']);
  });

  it('reaches into volumes, and leaves those that are read-only alone', async () => {
    const name = await container('-v', 'data:/data', '-v', 'fixed:/fixed:ro', '-v', 'inner:/data/inner');
    expect(await cp(['-', `${name}:/data`], tar)).toMatchObject(ok);
    expect(await cp(['-', `${name}:/data/inner`], tar)).toMatchObject(ok);
    const other = await container('-v', 'data:/elsewhere');
    expect(list((await cp([`${other}:/elsewhere/made`, '-'])).tar)).toEqual([
      'made/',
      'made/sub/',
      'made/sub/f',
    ]);
    expect((await cp([`${other}:/elsewhere/inner/made`, '-'])).code).toBe(1);
    expect(await cp(['-', `${name}:/fixed`], tar)).toMatchObject({
      code: 1,
      err: 'Error response from daemon: mounted volume is marked read-only\n',
    });
    expect((await sandbox.docker(['diff', name])).out).not.toContain('made');
    const sealed = await container('--read-only', '-v', 'data:/data');
    expect((await cp(['-', `${sealed}:/tmp`], tar)).err).toBe(
      'Error response from daemon: container rootfs is marked read-only\n',
    );
    expect(await cp(['-', `${sealed}:/data`], tar)).toMatchObject(ok);
  });

  it.each([
    [['a', 'b'], 'must specify at least one container source\n'],
    [['a:/x', 'b:/y'], 'copying between containers is not supported\n'],
    [['', 'a:/x'], 'source can not be empty\n'],
    [['a:/x', ''], 'destination can not be empty\n'],
    [['nope:/x', '-'], 'Error response from daemon: No such container: nope\n'],
    [['-', 'NAME:/dev/null/x'], 'destination "NAME:/dev/null/x" must be a directory\n'],
    [['NAME:/nope', '-'], 'Error response from daemon: Could not find the file /nope in container NAME\n'],
  ])('%j is refused: %s', async (words, err) => {
    const name = await container();
    const filled = words.map((word) => word.replace('NAME', name));
    expect(await cp(filled, tar)).toMatchObject({ code: 1, err: err.replaceAll('NAME', name) });
  });

  it.each([
    ['../out', 'leads out of the directory'],
    ['etc', 'cannot overwrite "etc"'],
  ])('a file %s of a hostile tar is refused: %s', async (path, words) => {
    const name = await container();
    const made = execFileSync('tar', [
      '-C',
      folder,
      '-P',
      `--transform=s,^made/sub/f$,${path},`,
      '-cf',
      '-',
      'made/sub/f',
    ]);
    const { code, err } = await cp(['-', `${name}:/`], made);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(words) });
  });

  it('refuses what is no tar', async () => {
    const { code, err } = await cp(['-', `${await container()}:/tmp`], new Uint8Array(1024).fill(65));
    expect(code).toBe(1);
    expect(err).not.toBe('');
  });
});

describe('a tar for busybox', () => {
  it('has long names, and whole seconds', async () => {
    const long = `${'d'.repeat(60)}/${'f'.repeat(120)}`;
    async function* pieces(): AsyncGenerator<Piece> {
      const entry = { mode: 0o644, uid: 1, gid: 2, mtimeNs: 1_500_000_000_500_000_000n };
      yield { entry: { ...entry, path: long, type: 'file', size: 3 } };
      yield { at: 0, bytes: new TextEncoder().encode('abc') };
      yield { entry: { ...entry, path: 'link', type: 'symlink', link: long } };
      yield { entry: { ...entry, path: 'd'.repeat(99), type: 'dir' } };
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of longNameTarOf(pieces())) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    expect(bytes.length % 512).toBe(0);
    expect(list(bytes)).toEqual([long, 'link', `${'d'.repeat(99)}/`]);
    expect(list(bytes, '-v')[1]).toContain(`link -> ${long}`);
    expect(execFileSync('tar', ['-xOf', '-', long], { input: bytes }).toString()).toBe('abc');
    expect(bytes.includes('PaxHeaders')).toBe(false);
  });
});
