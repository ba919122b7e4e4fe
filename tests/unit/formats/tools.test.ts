/**
 * Tars as real tools write them, in each format that they have: read to the
 * tree that was archived, and to the tree that `umoci unpack` makes of them.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../support/run.ts';
import {
  indexOf,
  inSeconds,
  type Listing,
  listFolder,
  listTar,
  listUnpacked,
  makeLongTree,
  makePlainTree,
  makeSparseTree,
  makeTimesTree,
  makeUstarTree,
} from './archived-tree.ts';

type Tree = 'plain' | 'ustar' | 'long' | 'times' | 'sparse';
type Tool = (folder: string) => Uint8Array;

const output = (program: string, args: readonly string[], input?: string) =>
  new Uint8Array(
    execFileSync(program, args, { input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] }),
  );
const gnu =
  (...options: string[]): Tool =>
  (folder) =>
    output('tar', ['-C', folder, '--sort=name', ...options, '-cf', '-', '.']);
const bsd =
  (...options: string[]): Tool =>
  (folder) =>
    output('bsdtar', ['-C', folder, ...options, '-cf', '-', '.']);
const python =
  (format: 'USTAR' | 'GNU' | 'PAX'): Tool =>
  (folder) =>
    output('python3', [
      '-c',
      `import sys, tarfile
t = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.${format}_FORMAT, encoding="utf-8", errors="surrogateescape")
t.add(sys.argv[1], arcname=".")
t.close()`,
      folder,
    ]);
const cpio =
  (format: 'tar' | 'ustar'): Tool =>
  (folder) =>
    output('sh', [
      '-c',
      'cd "$1" && find . -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H "$2"',
      'sh',
      folder,
      format,
    ]);

/** `seconds`: the format has no fractions of them. `umoci`: what it says when it refuses what the format allows. */
interface Row {
  readonly tool: Tool;
  readonly tree: Tree;
  readonly seconds?: boolean;
  readonly umoci?: RegExp;
}

const rows: Readonly<Record<string, Row>> = {
  'GNU tar, v7': { tool: gnu('--format=v7'), tree: 'plain', seconds: true },
  'GNU tar, oldgnu': { tool: gnu('--format=oldgnu'), tree: 'long', seconds: true },
  'GNU tar, gnu': { tool: gnu('--format=gnu'), tree: 'long', seconds: true },
  'GNU tar, ustar': { tool: gnu('--format=ustar'), tree: 'ustar', seconds: true },
  'GNU tar, posix': { tool: gnu('--format=posix'), tree: 'long' },
  'GNU tar, posix with a global header': {
    tool: gnu('--format=posix', '--pax-option=globexthdr.name=g,comment=made by a test'),
    tree: 'long',
    umoci: /unpack entry: g: unknown typeflag '\\x67'/,
  },
  'GNU tar, posix, all times': { tool: gnu('--format=posix'), tree: 'times' },
  'GNU tar, gnu, all times': { tool: gnu('--format=gnu'), tree: 'times', seconds: true },
  'GNU tar, gnu, sparse': {
    tool: gnu('--format=gnu', '--sparse'),
    tree: 'sparse',
    seconds: true,
    umoci: /unpack entry: .*: unknown typeflag '\\x53'/,
  },
  'GNU tar, oldgnu, sparse': {
    tool: gnu('--format=oldgnu', '--sparse'),
    tree: 'sparse',
    seconds: true,
    umoci: /unpack entry: .*: unknown typeflag '\\x53'/,
  },
  'GNU tar, sparse 0.0': { tool: gnu('--format=posix', '--sparse-version=0.0'), tree: 'sparse' },
  'GNU tar, sparse 0.1': { tool: gnu('--format=posix', '--sparse-version=0.1'), tree: 'sparse' },
  'GNU tar, sparse 1.0': { tool: gnu('--format=posix', '--sparse-version=1.0'), tree: 'sparse' },
  'GNU tar, sparse by reading zeros': {
    tool: gnu('--format=posix', '--sparse', '--hole-detection=raw'),
    tree: 'sparse',
  },
  'bsdtar, ustar': { tool: bsd('--format=ustar'), tree: 'ustar', seconds: true },
  'bsdtar, gnutar': { tool: bsd('--format=gnutar'), tree: 'long', seconds: true },
  'bsdtar, pax': { tool: bsd('--format=pax'), tree: 'long' },
  'bsdtar, restricted pax': { tool: bsd('--format=paxr'), tree: 'ustar', seconds: true },
  'bsdtar, v7': { tool: bsd('--format=v7tar'), tree: 'plain', seconds: true },
  'bsdtar, pax, sparse': { tool: bsd('--format=pax', '--read-sparse'), tree: 'sparse' },
  'Python, ustar': { tool: python('USTAR'), tree: 'ustar', seconds: true },
  'Python, gnu': { tool: python('GNU'), tree: 'long', seconds: true },
  'Python, pax': { tool: python('PAX'), tree: 'long' },
  'cpio, ustar': { tool: cpio('ustar'), tree: 'ustar', seconds: true },
  'cpio, old tar': { tool: cpio('tar'), tree: 'plain', seconds: true },
};

describe.runIf(process.getuid?.() === 0)('a tar as a tool writes it', () => {
  let work = '';
  const folderOf = (tree: Tree) => join(work, tree);
  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'layerbox-formats-'));
    for (const tree of ['plain', 'ustar', 'long', 'times', 'sparse'] as const) mkdirSync(folderOf(tree));
    await makePlainTree(folderOf('plain'));
    await makeUstarTree(folderOf('ustar'));
    await makeLongTree(folderOf('long'));
    await makeTimesTree(folderOf('times'));
    makeSparseTree(folderOf('sparse'));
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  describe.each(Object.entries(rows))('%s', (_, { tool, tree, seconds = false, umoci }) => {
    let tar: Uint8Array = new Uint8Array(0);
    let made: Listing = new Map();
    beforeAll(async () => {
      tar = tool(folderOf(tree));
      made = await listTar(tar);
    });

    it('is the tree that was archived', () => {
      const want = listFolder(folderOf(tree));
      expect(want.size).toBeGreaterThan(7);
      expect(seconds ? inSeconds(made) : made).toEqual(seconds ? inSeconds(want) : want);
    });

    it(umoci === undefined ? 'is the tree that umoci unpacks' : 'is refused by umoci', async () => {
      if (umoci === undefined) expect(made).toEqual(await listUnpacked(work, tar));
      else await expect(listUnpacked(work, tar)).rejects.toThrow(umoci);
    });
  });

  it.each([
    ['old form', gnu('--format=gnu', '--sparse')],
    ['0.0', gnu('--format=posix', '--sparse-version=0.0')],
    ['0.1', gnu('--format=posix', '--sparse-version=0.1')],
    ['1.0', gnu('--format=posix', '--sparse-version=1.0')],
    ['1.0 of bsdtar', bsd('--format=pax', '--read-sparse')],
  ])('has its holes in the index, not in the tar: %s', (_, tool) => {
    const tar = tool(folderOf('sparse'));
    const index = indexOf(tar);
    const many = index.entry(index.find('many') ?? 0);
    expect(many.size).toBe(64 * 65_536);
    // more than the header, and one block behind it, have room for
    expect(many.extents?.length).toBe(64);
    expect(tar.length).toBeLessThan(1 << 20);
  });

  it.each([
    // bsdtar writes each attribute twice, and encodes the name in both
    ['GNU tar', gnu('--format=posix', '--xattrs', '--xattrs-include=*')],
    ['bsdtar', bsd('--format=pax', '--xattrs')],
  ])('keeps extended attributes: %s', async (_, tool) => {
    const folder = join(work, 'xattrs');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'f'), 'x');
    const set = (name: string, value: string) =>
      run('setfattr', ['-n', name, '-v', value, join(folder, 'f')]);
    await set('user.text', 'green');
    await set('user.bytes', '0x00ff0a3d');
    await set('user.ünïcode', 'odd name');
    await set('security.capability', '0x0100000200040000000000000000000000000000');
    const index = indexOf(tool(folder));
    const xattrs = index.entry(index.find('f') ?? 0).xattrs ?? new Map<string, Uint8Array>();
    const hex = [...xattrs].map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`).sort();
    expect(hex).toEqual([
      'security.capability=0100000200040000000000000000000000000000',
      'user.bytes=00ff0a3d',
      `user.text=${Buffer.from('green').toString('hex')}`,
      `user.ünïcode=${Buffer.from('odd name').toString('hex')}`,
    ]);
  });

  it('is a commit that git archives, whose global header holds a comment only', async () => {
    const folder = join(work, 'git');
    mkdirSync(folder);
    writeFileSync(join(folder, 'README'), 'read me\n');
    const git = (...args: string[]) =>
      run('git', ['-C', folder, '-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args]);
    await git('init', '--quiet');
    await git('add', 'README');
    await git('commit', '--quiet', '-m', 'first');
    const tar = output('git', ['-C', folder, 'archive', '--format=tar', 'HEAD']);
    expect([...(await listTar(tar)).keys()]).toEqual(['/README']);
  });

  it('is a layer of umoci insert, which ends without a word', async () => {
    const layout = join(work, 'inserted');
    await run('umoci', ['init', '--layout', layout]);
    await run('umoci', ['new', '--image', `${layout}:i`]);
    await run('umoci', ['insert', '--image', `${layout}:i`, folderOf('long'), '/into']);
    await run('umoci', ['insert', '--image', `${layout}:i`, '--whiteout', '/into/plain']);
    const read = (digest: string) =>
      readFileSync(join(layout, 'blobs/sha256', digest.replace('sha256:', '')));
    const index: unknown = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
    const [manifestDigest] = JSON.stringify(index).match(/sha256:[0-9a-f]{64}/) ?? [''];
    const manifest: unknown = JSON.parse(read(manifestDigest).toString());
    const [, first = '', second = ''] = JSON.stringify(manifest).match(/sha256:[0-9a-f]{64}/g) ?? [];
    const made = await listTar(new Uint8Array(gunzipSync(read(first))));
    // each name is a file of its own to umoci insert, and times are rounded to seconds
    const plain = (listing: Listing, prefix: string) =>
      [...listing.values()]
        .filter(({ path }) => path.startsWith(prefix) && path !== prefix && !path.startsWith('bytes:'))
        .map(({ mtimeNs: _, nlink: __, ...one }) => ({ ...one, path: one.path.slice(prefix.length) }))
        .sort((a, b) => (a.path < b.path ? -1 : 1));
    expect(plain(made, '/into')).toEqual(plain(listFolder(folderOf('long')), ''));
    expect([...made.keys()]).toContain(`bytes:${Buffer.from('/into/caf\xe9', 'latin1').toString('hex')}`);
    const whiteouts = indexOf(new Uint8Array(gunzipSync(read(second))));
    expect(whiteouts.entry(whiteouts.find('into/plain') ?? 0).type).toBe('whiteout');
  });
});
