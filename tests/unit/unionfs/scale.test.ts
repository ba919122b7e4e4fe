/** What the union costs as images grow, in operations: times are for `npm run bench -- scale`. */

import { describe, expect, it } from 'vitest';
import type { LayerIndex } from '../../../src/engine/layer/layer-index.ts';
import { buildLayerIndex } from '../../../src/engine/layer/layer-index-builder.ts';
import { stackLayers } from '../../../src/engine/layer/stack.ts';
import { CachedContentReader } from '../../../src/engine/store/content-reader.ts';
import type { FileSystem } from '../../../src/engine/unionfs/filesystem.ts';
import { resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import { NinePServer } from '../../../src/machine/nine-p/server.ts';
import { entriesOfDirectory, layersOfFiles, numberedDiffID, pathOfFile } from '../../support/many-files.ts';
import { NinePClient } from '../../support/nine-p-client.ts';
import { costOfOpening } from '../../support/stored-image.ts';
import { FaultyJournal } from './faulty-journal.ts';
import { lowerOf, put, ROOT_OWNER, unionOver } from './fixture.ts';

/** The indexes, and how often one was asked for the name or the type of an entry. */
function counted(indexes: readonly LayerIndex[]) {
  let asked = { name: 0, type: 0 };
  const watched = indexes.map((index) => {
    const columns = new Proxy(index.columns, {
      get: (target, field) => {
        if (field === 'nameOffset') asked.name += 1;
        if (field === 'type') asked.type += 1;
        return Reflect.get(target, field);
      },
    });
    return new Proxy(index, {
      get: (target, field) => {
        if (field === 'columns') return columns;
        const value: unknown = Reflect.get(target, field);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  });
  return {
    watched,
    asked: (act: () => void): typeof asked => {
      asked = { name: 0, type: 0 };
      act();
      return asked;
    },
  };
}

const unread = () => {
  throw new Error('no content is needed for this');
};

describe('an image of any size', () => {
  it('of 100,000 files in 40 layers opens by reading its indexes, once each, in less than 60 MB', async () => {
    const cost = await costOfOpening(40, 100_000);
    expect(cost.entries).toBeGreaterThan(100_000);
    expect([cost.indexReads, cost.contentReads]).toEqual([40, 0]);
    expect(cost.megabytes).toBeLessThan(60);
    const small = await costOfOpening(40, 10_000);
    expect([small.indexReads, small.contentReads]).toEqual([40, 0]);
    // what is read is what the indexes are long
    expect(cost.indexBytes / small.indexBytes).toBeGreaterThan(8);
    expect(cost.indexBytes / cost.entries).toBeLessThan(200);
  });

  it('is looked up in without asking a layer, over 1 as over 127', () => {
    const files = 20_000;
    const paths = Array.from({ length: 500 }, (_, i) => pathOfFile((i * 7919) % files));
    for (const layers of [1, 127]) {
      const { watched, asked } = counted(layersOfFiles(layers, files));
      let stack = stackLayers([]);
      const merging = asked(() => {
        stack = stackLayers(watched);
      });
      expect(merging.name).toBeGreaterThan(0);
      const looking = asked(() => {
        for (const path of paths) expect(stack.find(path)).toBeDefined();
        expect(stack.find('usr/share/nothing')).toBeUndefined();
      });
      expect(looking).toEqual({ name: 0, type: 0 });
      const shown = asked(() => {
        for (const path of paths) expect(stack.type(stack.find(path) ?? 0)).toBe('file');
      });
      expect(shown).toEqual({ name: 0, type: paths.length });
    }
  });
});

describe('a directory of 50,000 names', () => {
  const files = 50_000;
  const indexOf = (count: number) => buildLayerIndex(numberedDiffID(1), entriesOfDirectory(count));

  it('is listed by looking at each entry once', async () => {
    for (const count of [files, files / 4]) {
      const { watched, asked } = counted([indexOf(count)]);
      const union = await unionOver(watched.map((index) => ({ index, read: unread })));
      const directory = union.lookup(union.root, 'd');
      let found = 0;
      const { name, type } = asked(() => {
        found = union.readdir(directory).length;
      });
      expect([found, name]).toEqual([count, 0]);
      // and at the directory
      expect(type - count).toBeLessThan(5);
    }
  });

  it('is read through 9P with two looks at it, and as many messages as its names fill', async () => {
    const union = await unionOver([{ index: indexOf(files), read: unread }]);
    let listings = 0;
    let stats = 0;
    const fs: FileSystem = new Proxy<FileSystem>(union, {
      get: (target, field) => {
        if (field === 'readdir') listings += 1;
        if (field === 'stat') stats += 1;
        const value: unknown = Reflect.get(target, field, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const server = new NinePServer({ report: () => undefined });
    server.mount('host', fs);
    const client = new NinePClient(server);
    await client.connect(131_072, 0, '9P2000.L.lists');
    await client.walk('host/d', 1);
    stats = 0;
    const { bytes } = await client.call('list', { fid: 1, names: [], count: 131_000 });
    // too large for one message: said after as many entries as fit
    expect(bytes[0]).toBe(2);
    expect(stats).toBeLessThan(5000);
    await client.call('lopen', { fid: 1, flags: 0 });
    let messages = 0;
    let names = 0;
    let length = 0;
    for (let offset = 0; ; ) {
      const { entries } = await client.call('readdir', { fid: 1, offset, count: 131_000 });
      if (entries.length === 0) break;
      messages += 1;
      length += entries.length;
      const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
      for (let at = 0; at < entries.length; at += 24 + view.getUint16(at + 22, true)) {
        offset = Number(view.getBigUint64(at + 13, true));
        names += 1;
      }
    }
    expect(names).toBe(files + 2);
    expect(messages).toBeLessThan(length / 130_000 + 2);
    expect(listings).toBe(2);
  });
});

describe('content that is used again', () => {
  it('comes from memory, without a promise', async () => {
    let reads = 0;
    const tar = new Uint8Array(4 << 20).map((_, i) => i % 251);
    const reader = new CachedContentReader({
      read: async (_digest, offset = 0, length = tar.length) => {
        reads += 1;
        return tar.slice(offset, offset + length);
      },
    });
    const index = buildLayerIndex(numberedDiffID(1), entriesOfDirectory(2000));
    const union = await unionOver([
      { index, read: (offset, length) => reader.read(index.diffID, offset, length) },
    ]);
    const inos = union.readdir(resolvePath(union, '/d')).map(({ ino }) => ino);
    for (const ino of inos) await union.read(ino, 0, 10);
    const cold = reads;
    expect(cold).toBeLessThan(20);
    for (const ino of inos) expect(union.read(ino, 0, 10)).toBeInstanceOf(Uint8Array);
    expect(reads).toBe(cold);
  });
});

describe('a write', () => {
  /** Bytes that go to the journal for so many small files, synced now and then, checkpoints included. */
  async function written(files: number): Promise<number> {
    const journal = new FaultyJournal();
    let bytes = 0;
    const append = journal.append.bind(journal);
    journal.append = (segment) => {
      bytes += segment.length;
      return append(segment);
    };
    const union = await unionOver([lowerOf(1, ['etc/ 755'])], { journal });
    const directory = union.mkdir(union.root, 'made', 0o755, ROOT_OWNER);
    for (let i = 0; i < files; i++) {
      put(union, directory, `file-${String(i).padStart(6, '0')}`, `content ${i}`);
      if (i % 50 !== 0) continue;
      await union.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await union.close();
    return bytes;
  }

  it('of 10,000 small files, created and synced, is four times one of 2,500', async () => {
    const few = await written(2500);
    const many = await written(10_000);
    expect(few).toBeGreaterThan(2500 * 40);
    expect(many / few).toBeLessThan(4.8);
    expect(many / 10_000).toBeLessThan(500);
  });
});
