/** `docker run` of an image that is not here yet. */

import { describe, expect, it, vi } from 'vitest';
import { LazyLayers } from '../../../src/engine/lazy/lazy-layers.ts';
import { MemoryRecordStore } from '../../../src/engine/store/memory-records.ts';
import { holdsOnceCollected } from '../../support/collected.ts';
import { stargzLayer } from '../../support/estargz.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { killPage, openSandbox, type SandboxSetup, until } from '../container/sandbox.ts';
import { baseFiles, contentSum, EarlyRegistry, layerOf } from './early-registry.ts';
import { noise } from './fixture.ts';

const REF = 'localhost:5000/app:v1';

const programs: Record<string, ProgramCode> = {
  /** `sum PATH...`: what each file has, or why it cannot be read. */
  sum: async ({ root, spec, out }) => {
    if (root === undefined) return 1;
    for (const path of spec.argv.slice(1)) {
      try {
        const ino = path.split('/').reduce((at, name) => root.lookup(at, name), root.root);
        await out(`${path} ${contentSum(await root.read(ino, 0, root.stat(ino).size))}\n`);
      } catch (error) {
        await out(`${path} ${error instanceof Error && 'errno' in error ? error.errno : error}\n`);
      }
    }
    return 0;
  },
  /** Changes the middle of a file, then waits for its end. */
  change: async ({ root, out, killed }) => {
    if (root === undefined) return 1;
    const ino = root.lookup(root.root, 'data');
    root.write(ino, 200_000, new TextEncoder().encode('changed'));
    await out('changed\n');
    return 128 + (await killed);
  },
  sleep: async ({ killed }) => 128 + (await killed),
};

const open = (registry: EarlyRegistry, setup: SandboxSetup = {}) =>
  openSandbox({ programs, fetch: registry.fetch, ...setup });

const images = async ({ docker }: Awaited<ReturnType<typeof open>>) =>
  (await docker('images --format {{.Repository}}:{{.Tag}}')).out.trim();
const containers = async ({ docker }: Awaited<ReturnType<typeof open>>) =>
  (await docker('ps -a --format {{.Names}}={{.State}}')).out.trim();

const sums = {
  sh: contentSum(noise(300_000, 1)),
  data: contentSum(noise(400_000, 2)),
  rest: contentSum(noise(200_000, 3)),
};

describe('an image whose layers have tables of contents', () => {
  it('runs before it is here, has no name until it is, and is then what a pull would have made of it', async () => {
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf() }]);
    const sandbox = await open(registry);
    const { code, out, err } = await sandbox.docker(`run --name one ${REF} sum bin/sh`);
    expect({ code, out }).toEqual({ code: 0, out: `bin/sh ${sums.sh}\n` });
    expect(err).toContain('Ready to read');
    expect(err).toContain(`Status: Started ${REF} while it is still being downloaded`);
    expect(registry.seen.filter((line) => line.startsWith('whole')).length).toBeLessThanOrEqual(1);
    expect(await images(sandbox)).toBe('');
    expect(await containers(sandbox)).toBe('one=exited');

    registry.release();
    await until('the image is whole', async () => (await images(sandbox)) === REF);
    const again = await sandbox.docker(`run --name two ${REF} sum bin/sh data rest`);
    expect(again.out).toBe(`bin/sh ${sums.sh}\ndata ${sums.data}\nrest ${sums.rest}\n`);

    const plain = new EarlyRegistry();
    plain.release();
    plain.image('v1', [{ layer: layerOf() }]);
    const other = await open(plain);
    await other.docker(`pull ${REF}`);
    const stored = async ({ stores }: typeof sandbox) => ({
      content: (await stores.content.list()).map(({ digest }) => digest).sort(),
      layers: await stores.records.list('layers'),
      images: (await stores.records.list('images')).map(({ taggedAt: _, ...image }) => image),
    });
    expect(await stored(sandbox)).toEqual(await stored(other));
  });

  it('gives a container that runs the same files before and after, and keeps its changes over a restart', async () => {
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf() }]);
    const sandbox = await open(registry);
    await sandbox.docker(`run -d --name one ${REF} change`);
    await sandbox.docker('exec one sum bin/sh data');
    const changed = noise(400_000, 2);
    changed.set(new TextEncoder().encode('changed'), 200_000);
    const before = await sandbox.docker('exec one sum data');
    expect(before.out).toBe(`data ${contentSum(changed)}\n`);
    registry.release();
    await until('the image is whole', async () => (await images(sandbox)) === REF);
    expect((await sandbox.docker('exec one sum data rest')).out).toBe(
      `data ${contentSum(changed)}\nrest ${sums.rest}\n`,
    );
    await sandbox.docker('stop -t 0 one');
    await sandbox.engine.close();
    const next = await open(registry, { stores: sandbox.stores });
    expect(await containers(next)).toBe('one=exited');
    await next.docker('start one');
    expect((await next.docker('exec one sum data bin/sh')).out).toBe(
      `data ${contentSum(changed)}\nbin/sh ${sums.sh}\n`,
    );
  });

  it('runs before it is here again, when it was here and was removed', async () => {
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf() }]);
    const sandbox = await open(registry);
    // each time a file that nobody has read before
    for (const path of ['bin/sh', 'rest']) {
      const sum = path === 'rest' ? sums.rest : sums.sh;
      registry.hold();
      expect((await sandbox.docker(`run --rm ${REF} sum ${path}`)).out).toBe(`${path} ${sum}\n`);
      expect(await images(sandbox)).toBe('');
      registry.release();
      await until('the image is whole', async () => (await images(sandbox)) === REF);
      expect((await sandbox.docker(`run --rm ${REF} sum bin/sh`)).out).toBe(`bin/sh ${sums.sh}\n`);
      expect((await sandbox.docker(`rmi ${REF}`)).code).toBe(0);
    }
  });

  it('leaves nothing of its tables behind once no container has been started by them', async () => {
    const add = vi.spyOn(LazyLayers.prototype, 'add');
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf() }]);
    const sandbox = await open(registry);
    await sandbox.docker(`run -d --name one ${REF} change`);
    const tables = add.mock.calls.map(([{ index }]) => new WeakRef(index));
    add.mockClear();
    add.mockRestore();
    expect(tables).toHaveLength(1);
    const areGone = () => tables.every((table) => table.deref() === undefined);
    registry.release();
    await until('the image is whole', async () => (await images(sandbox)) === REF);
    expect(await holdsOnceCollected(areGone, 3)).toBe(false);
    expect((await sandbox.docker('exec one sum rest')).out).toBe(`rest ${sums.rest}\n`);
    await sandbox.docker('rm -f one');
    sandbox.machine.spawned.splice(0); // the fake one keeps everything
    // one of the same image that is running
    await sandbox.docker(`run -d --name two ${REF} sleep`);
    expect(await holdsOnceCollected(areGone)).toBe(true);
  });

  it('tells the page what can be read and what is here', async () => {
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf() }]);
    const sandbox = await open(registry);
    await sandbox.docker(`run --rm ${REF} sum bin/sh`);
    registry.release();
    await until('the image is whole', async () => (await images(sandbox)) === REF);
    const told = sandbox.events.flatMap((event) =>
      event.type === 'layer' || event.type === 'pull' ? [event.status] : [],
    );
    expect(told.filter((status, at) => status !== told[at - 1])).toEqual([
      ...['started', 'waiting', 'readable', 'runnable'],
      ...['downloading', 'verifying', 'extracting', 'complete'],
    ]);
  });

  it('runs twice at once with one pull', async () => {
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf() }]);
    const sandbox = await open(registry);
    const [a, b] = await Promise.all([
      sandbox.docker(`run ${REF} sum bin/sh`),
      sandbox.docker(`run ${REF} sum data`),
    ]);
    expect([a.out, b.out]).toEqual([`bin/sh ${sums.sh}\n`, `data ${sums.data}\n`]);
    registry.release();
    await until('the image is whole', async () => (await images(sandbox)) === REF);
    expect(registry.seen.filter((line) => line.startsWith('whole'))).toHaveLength(1);
  });

  it('waits for the layers that have none, and for those only', async () => {
    const registry = new EarlyRegistry();
    const lazy = layerOf();
    const plain = stargzLayer([{ name: 'plain', content: noise(300_000, 9) }]);
    registry.image('v1', [{ layer: lazy }, { layer: plain, annotated: false }]);
    const sandbox = await open(registry);
    const running = sandbox.docker(`run ${REF} sum bin/sh plain`);
    await until('the plain layer is asked for', () => registry.waiting === 1);
    expect(registry.seen.at(-1)).toBe(`whole ${plain.digest}`);
    registry.release();
    registry.hold();
    expect((await running).out).toBe(`bin/sh ${sums.sh}\nplain ${contentSum(noise(300_000, 9))}\n`);
    expect(await images(sandbox)).toBe('');
    registry.release();
    await until('the image is whole', async () => (await images(sandbox)) === REF);
  });

  it('comes whole first where a server gives no ranges', async () => {
    const registry = new EarlyRegistry();
    registry.hasRanges = false;
    registry.release();
    registry.image('v1', [{ layer: layerOf() }]);
    const sandbox = await open(registry);
    const { code, err } = await sandbox.docker(`run ${REF} sum bin/sh`);
    expect({ code, isWhole: err.includes('Status: Downloaded newer image') }).toEqual({
      code: 0,
      isWhole: true,
    });
    expect(await images(sandbox)).toBe(REF);
  });

  it('comes whole first when its table was changed', async () => {
    const registry = new EarlyRegistry();
    registry.release();
    const layer = layerOf();
    registry.tamper = (bytes, start) => {
      const at = layer.tocOffset + 30 - start;
      if (at >= 0) bytes[at] = (bytes[at] ?? 0) ^ 1;
    };
    registry.image('v1', [{ layer }]);
    const sandbox = await open(registry);
    expect((await sandbox.docker(`run ${REF} sum bin/sh`)).err).toContain('Status: Downloaded newer image');
  });
});

describe('what can go wrong with it', () => {
  it('is a chunk that was changed: an input/output error for whoever reads it, and nothing else', async () => {
    const registry = new EarlyRegistry();
    const layer = layerOf();
    const chunk = layer.entries.find(({ name, chunkOffset }) => name === 'data' && chunkOffset === 200_000);
    registry.image('v1', [{ layer }]);
    registry.tamper = (bytes, start) => {
      const at = Number(chunk?.offset) + 5000 - start;
      if (at >= 0 && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ 1;
    };
    const sandbox = await open(registry);
    const { out } = await sandbox.docker(`run ${REF} sum bin/sh data rest`);
    expect(out).toBe(`bin/sh ${sums.sh}\ndata EIO\nrest ${sums.rest}\n`);
    const told = sandbox.events.flatMap((event) => (event.type === 'unreadable' ? [event] : []));
    expect(told[0]).toMatchObject({ digest: layer.digest, path: '/data' });
    expect(told[0]?.message).toMatch(/"\/data"/);
  });

  const rows: [string, (registry: EarlyRegistry) => void, RegExp][] = [
    [
      'a digest that is wrong at the end',
      (registry) => {
        const bytes = layerOf().blob;
        bytes[400_000] = (bytes[400_000] ?? 0) ^ 1;
        registry.image('v1', [{ layer: layerOf() }]);
        registry.whole = () => new Response(Uint8Array.from(bytes));
      },
      /have the digest/,
    ],
    [
      'a diffID that is wrong at the end',
      (registry) => registry.image('v1', [{ layer: layerOf(), diffID: `sha256:${'77'.repeat(32)}` }]),
      /diffID/,
    ],
    [
      'a table that does not say what the tar says',
      (registry) => {
        const edit = (toc: { version: number; entries: Record<string, unknown>[] }) => ({
          ...toc,
          entries: toc.entries.map((entry) => (entry.name === 'bin/sh' ? { ...entry, mode: 0o4755 } : entry)),
        });
        registry.image('v1', [{ layer: layerOf(undefined, { edit }) }]);
      },
      /"\/bin\/sh": its mode is/,
    ],
    [
      'a registry that has it no more',
      (registry) => {
        registry.image('v1', [{ layer: layerOf() }]);
        registry.whole = () => new Response('gone', { status: 404 });
      },
      /does not have/,
    ],
  ];
  it.each(rows)(
    'is %s: its containers end and are gone, and nothing is left',
    async (_, prepare, message) => {
      const registry = new EarlyRegistry();
      prepare(registry);
      const sandbox = await open(registry);
      const running = sandbox.docker(`run --name one ${REF} change`);
      await until('it runs', async () => (await containers(sandbox)) === 'one=running');
      registry.release();
      const { code, err } = await running;
      expect(code).toBe(137);
      expect(err).toMatch(message);
      expect(await containers(sandbox)).toBe('');
      expect(await images(sandbox)).toBe('');
      expect(await sandbox.stores.content.list()).toEqual([]);
      expect(await sandbox.stores.records.ids('layers')).toEqual([]);
      expect(await sandbox.stores.content.pendingIngests()).toEqual([]);
      expect(sandbox.events.some((event) => event.type === 'pull' && event.status === 'failed')).toBe(true);
    },
  );

  it('is over for docker run when its container is gone', async () => {
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf() }]);
    registry.whole = () => new Response('gone', { status: 404 });
    const sandbox = await open(registry);
    const { records } = sandbox.stores;
    let forget: () => void = () => undefined;
    const mayForget = new Promise<void>((resolve) => {
      forget = resolve;
    });
    let isForgetting = false;
    const commit = vi.spyOn(records, 'commit');
    commit.mockImplementation(async (changes) => {
      if (changes.some((change) => change.kind === 'containers' && 'delete' in change)) {
        isForgetting = true;
        await mayForget;
      }
      return MemoryRecordStore.prototype.commit.call(records, changes);
    });
    let isOver = false;
    const running = sandbox.docker(`run ${REF} change`).finally(() => {
      isOver = true;
    });
    await until('it runs', async () => /=running$/.test(await containers(sandbox)));
    registry.release();
    await until('its record goes', async () => isForgetting);
    // longer than the command takes that does not wait for it
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    forget();
    expect((await running).code).toBe(137);
    expect(await containers(sandbox)).toBe('');
  });

  it('is a page that ends before all is here: the next one finds neither image nor container', async () => {
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf() }]);
    const sandbox = await open(registry);
    await sandbox.docker(`run -d --name one ${REF} change`);
    expect(await sandbox.stores.records.ids('containers')).toHaveLength(1);
    const stores = await killPage(sandbox);
    const next = await open(registry, { stores });
    expect([await images(next), await containers(next)]).toEqual(['', '']);
    expect(await stores.content.list()).toEqual([]);
    expect(await stores.records.ids('layers')).toEqual([]);
    expect(await stores.journals.list()).not.toContainEqual(expect.stringContaining('container/'));
  });

  it('is a page that is closed: nothing of it goes on', async () => {
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf() }]);
    const sandbox = await open(registry);
    await sandbox.docker(`run -d --name one ${REF} sleep`);
    await sandbox.engine.close();
    expect(await sandbox.stores.records.ids('images')).toEqual([]);
    expect(await sandbox.stores.records.ids('containers')).toEqual([]);
  });

  it('is a page that is closed while the line says nothing: what was wanted first is given up at once', async () => {
    const registry = new EarlyRegistry();
    const layer = layerOf([...baseFiles.slice(0, 3), { name: '.prefetch.landmark', content: '\x0f' }]);
    registry.image('v1', [{ layer }]);
    registry.isSilent = (start) => start < 100_000;
    const sandbox = await open(registry);
    await sandbox.docker(`run -d --name one ${REF} sleep`);
    await until('it is asked for', () => registry.seen.filter((line) => line.startsWith('range')).length > 1);
    await sandbox.engine.close();
    await until('nobody waits for it', () => registry.givenUp > 0);
    expect(registry.seen.filter((line) => line.startsWith('whole'))).toEqual([]);
    expect(await sandbox.stores.records.ids('leases')).toEqual([]);
    expect(await sandbox.stores.records.ids('containers')).toEqual([]);
  });

  it('is a Ctrl-C before it can be run: the pull ends', async () => {
    const registry = new EarlyRegistry();
    registry.image('v1', [{ layer: layerOf(), annotated: false }]);
    const sandbox = await open(registry);
    const controller = new AbortController();
    const running = sandbox.docker(`run ${REF} sum bin/sh`, { signal: controller.signal });
    await until('the layer is asked for', () => registry.waiting === 1);
    controller.abort();
    expect((await running).code).not.toBe(0);
    expect(await sandbox.stores.records.ids('leases')).toEqual([]);
    expect(await sandbox.stores.content.pendingIngests()).toEqual([]);
  });
});
