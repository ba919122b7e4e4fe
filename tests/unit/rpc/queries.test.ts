/** The worker for queries over a sandbox of this process: the same answers as the engine's own. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NoSuchContainerError, NoSuchFileError, NoSuchImageError } from '../../../src/engine/errors.ts';
import type { SandboxHost } from '../../../src/rpc/host.ts';
import { type EngineViews, Queries } from '../../../src/rpc/queries.ts';
import { openInProcess } from '../../../workers/in-process.ts';

let host: SandboxHost;
let queries: Queries;
const indexes: string[] = [];
let snapshots = 0;
let container = '';

async function docker(...argv: string[]): Promise<string> {
  let out = '';
  const code = await host.command(
    { docker: argv },
    {
      input: undefined,
      signal: new AbortController().signal,
      write: async (_, bytes) => {
        out += new TextDecoder().decode(bytes);
      },
    },
  );
  expect([argv.join(' '), code, out]).toEqual([argv.join(' '), 0, out]);
  return out.trim();
}

beforeAll(async () => {
  host = await openInProcess({ storage: 'memory', machine: false }, () => undefined);
  await docker('pull', '-q', 'busybox');
  container = await docker('create', '--name', 'one', 'busybox');
  const views: EngineViews = host.views ?? expect.unreachable();
  queries = new Queries(
    {
      ...views,
      layerIndex: async (diffID) => {
        indexes.push(diffID);
        return views.layerIndex(diffID);
      },
      source: async (...asked) => {
        const source = await views.source(...asked);
        if (source !== undefined) snapshots += 1;
        return source;
      },
    },
    async () => undefined,
    () => undefined,
  );
});
afterAll(() => host.close());

describe('the worker for queries', () => {
  it('says of images and containers what the engine says', async () => {
    expect(await queries.images(0)).toEqual(await host.images());
    expect(await queries.containers(0)).toEqual(await host.containers());
    expect(await queries.changes(0, 'one')).toEqual(await host.changes(container));
  });

  it.each(['busybox', 'one'])('lists the directories of %s as the engine does', async (name) => {
    for (const path of ['/', '/etc', '/etc/', 'bin/../etc', '/dev']) {
      const [here, there] = [
        await queries.list(0, name, path, {}, undefined),
        await host.list(name, path, {}, undefined),
      ];
      const plain = ({ entries, count }: typeof here) => ({
        count,
        // numbers of inodes are each one's own
        entries: entries.map(({ ino: _, ...entry }) => entry),
      });
      expect([path, plain(here)]).toEqual([path, plain(there)]);
      expect(here.count).toBe(here.entries.length);
    }
  });

  it('takes the index of a layer once, and a snapshot only when something changed', async () => {
    expect(new Set(indexes).size).toBe(indexes.length);
    const before = snapshots;
    await queries.list(0, 'one', '/etc', {}, undefined);
    await queries.list(0, 'one', '/bin', { start: 1, end: 3 }, undefined);
    expect(snapshots).toBe(before);
  });

  it('names what is not there', async () => {
    await expect(queries.list(0, 'nope', '/', {}, undefined)).rejects.toThrow(NoSuchImageError);
    await expect(queries.list(0, 'busybox', '/nope', {}, undefined)).rejects.toThrow(NoSuchFileError);
    await expect(queries.list(0, 'busybox', '/etc/passwd', {}, undefined)).rejects.toThrow(NoSuchFileError);
    await expect(queries.changes(0, 'nope')).rejects.toThrow(NoSuchContainerError);
  });
});
