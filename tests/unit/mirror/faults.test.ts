import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../../scripts/project-root.ts';
import { PATIENT } from '../../../src/engine/registry/retry.ts';
import { type Fault, type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { freePort } from '../../support/free-port.ts';
import {
  type PushedManifest,
  pushLayout,
  putManifest,
  type Registry,
  readManifest,
  sha256,
  startRegistry,
} from '../../support/registry.ts';
import { makeLayout } from './images.ts';
import { blobsIn, filesIn, mirror, namesIn, temporaryFolder } from './place.ts';

let upstream: Registry;
let registry: FaultyRegistry;
let layout: Awaited<ReturnType<typeof makeLayout>>;
let manifest: PushedManifest;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let to: string;

beforeAll(async () => {
  layout = await makeLayout(['linux/386', 'linux/amd64']);
  upstream = await startRegistry({ cors: false });
  registry = await startFaultyRegistry(upstream);
  await pushLayout(layout.path, 'linux-386', upstream, 'test/one:1');
  await pushLayout(layout.path, 'linux-amd64', upstream, 'test/two:1');
  manifest = await readManifest(upstream, 'test/one', '1');
});
afterAll(async () => {
  await registry.close();
  await upstream.close();
  await layout.remove();
});
beforeEach(async () => {
  folder = await temporaryFolder();
  to = join(folder.path, 'images');
  registry.faults.clear();
  registry.forget();
});
afterEach(() => folder.remove());

const image = (name: string) => `${registry.host}/test/${name}`;
const copy = (...words: string[]) => mirror(['--to', to, ...words]);
const layer = (place: number) => manifest.layers[place]?.digest ?? '';

/** Every blob is what its name says, every name's image is whole, and there is nothing else. */
async function expectConsistent(): Promise<void> {
  const files = await filesIn(to);
  for (const [path, bytes] of files) {
    if (path.startsWith('blobs/')) expect(path).toBe(`blobs/sha256/${sha256(bytes).slice(7)}`);
    else expect(path).toMatch(/^(?:index\.json|oci-layout)$/);
  }
  for (const digest of Object.values(await namesIn(to))) {
    const document: PushedManifest = JSON.parse(String(files.get(`blobs/sha256/${digest.slice(7)}`)));
    for (const { digest } of [document.config, ...document.layers]) {
      expect(files.has(`blobs/sha256/${digest.slice(7)}`)).toBe(true);
    }
  }
  expect((await readdir(to)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
}

describe('an image that cannot be copied is told of, the others are copied, and nothing is half-done', () => {
  const rows: readonly { name: string; at: () => string; fault: Fault; says: RegExp }[] = [
    {
      name: 'a flipped bit in a layer',
      at: () => layer(1),
      fault: { kind: 'flip' },
      says: /layer sha256:[0-9a-f]{64} of .*test\/one:1 is not what was asked for: its digest is sha256:/,
    },
    {
      name: 'a layer that is too short',
      at: () => layer(1),
      fault: { kind: 'short', by: 7 },
      says: /layer sha256:[0-9a-f]{64} .* bytes/,
    },
    {
      name: 'a layer that is too long',
      at: () => layer(1),
      fault: { kind: 'long', by: 7 },
      says: /layer sha256:[0-9a-f]{64} .*(?:larger than|not) the \d+ (?:bytes )?announced/,
    },
    {
      name: 'a layer that is not there',
      at: () => layer(1),
      fault: { kind: 'status', status: 404 },
      says: /does not have layer sha256:/,
    },
    {
      name: 'a layer that may not be had',
      at: () => layer(1),
      fault: { kind: 'status', status: 403 },
      says: /denies access to layer .*An account is given with --username and --password-stdin/,
    },
    {
      name: 'a flipped bit in the manifest',
      at: () => '/test/one/manifests/',
      fault: { kind: 'flip' },
      says: /manifest for .*test\/one:1/,
    },
    {
      name: 'a manifest that is not there',
      at: () => '/test/one/manifests/',
      fault: { kind: 'status', status: 404 },
      says: /manifest for .*test\/one:1 not found: manifest unknown/,
    },
  ];
  it.each(rows)('$name', async ({ at, fault, says }) => {
    registry.faults.set(at(), fault);
    const done = await copy('--platform=linux/386', '--platform=linux/amd64', image('one:1'), image('two:1'));
    expect(done.code).toBe(1);
    expect(done.stderr).toMatch(says);
    expect(done.stderr).toContain(`layerbox: `);
    expect(done.stdout).toBe(`${image('two:1')}: copied\n`);
    expect(Object.keys(await namesIn(to))).toEqual([image('two:1')]);
    await expectConsistent();

    registry.faults.clear();
    registry.forget();
    expect(await copy(image('one:1'))).toMatchObject({ code: 0 });
    // the layer that both have is there already
    expect(registry.requests.filter((request) => request.includes(layer(0)))).toEqual([]);
    await expectConsistent();
  });

  it('goes on where a connection broke', async () => {
    registry.faults.set(layer(0), { kind: 'cut', after: 300, times: 1 });
    expect(await copy(image('one:1'))).toMatchObject({ code: 0 });
    await expectConsistent();
  });

  it.each([429, 503])('asks again after a %i, and says why it waits', async (status) => {
    const headers = { 'Retry-After': '2' };
    registry.faults.set(layer(1), { kind: 'status', status, times: 1, headers });
    const waits: number[] = [];
    const sleep = async (milliseconds: number) => {
      waits.push(milliseconds);
    };
    const done = await mirror(['--to', to, image('one:1')], { patience: { ...PATIENT, sleep } });
    expect(done.code).toBe(0);
    expect(waits).toEqual([2000]);
    expect(done.stderr).toContain(`Note: ${registry.host}: it answered ${status}; asking again in 2 s.`);
    await expectConsistent();
  });

  it('a manifest that announces a wrong size', async () => {
    const wrong = structuredClone(manifest);
    const [first] = wrong.layers;
    if (first !== undefined) first.size += 7;
    await putManifest(upstream, 'test/one', 'wrong', wrong);
    const done = await copy(image('one:wrong'), image('one:1'));
    expect(done).toMatchObject({ code: 1, stdout: `${image('one:1')}: copied\n` });
    expect(done.stderr).toMatch(/layer sha256:[0-9a-f]{64} .* bytes/);
    await expectConsistent();
  });

  it('a registry that is down, in words that are not those of a browser', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const done = await copy(`${host}/x`);
    expect(done.code).toBe(1);
    expect(done.stderr).toMatch(new RegExp(`cannot reach http://${host} for manifest .*ECONNREFUSED`));
    expect(done.stderr).not.toContain('CORS');
  });
});

describe('a folder', () => {
  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['of other things', { 'notes.txt': 'x' }, /is no OCI image layout and holds other things \(notes\.txt\)/],
    [
      'with a layout of another version',
      { 'oci-layout': '{"imageLayoutVersion": "2.0.0"}', 'index.json': '{}' },
      /imageLayoutVersion must be "1\.0\.0": it is "2\.0\.0"/,
    ],
    ['without index.json', { 'oci-layout': '{"imageLayoutVersion": "1.0.0"}' }, /it has no index\.json/],
    [
      'with a broken index.json',
      { 'oci-layout': '{"imageLayoutVersion": "1.0.0"}', 'index.json': '{"schemaVersion": 2, "manif' },
      /index\.json is no JSON document/,
    ],
  ])('%s is left as it is', async (_, files, says) => {
    await mkdir(to);
    for (const [name, text] of Object.entries(files)) await writeFile(join(to, name), text);
    const done = await copy(image('one:1'));
    expect(done.code).toBe(1);
    expect(done.stderr).toMatch(says);
    expect(registry.requests).toEqual([]);
    expect(
      Object.fromEntries([...(await filesIn(to))].map(([name, bytes]) => [name, String(bytes)])),
    ).toEqual(files);
  });

  it('that cannot be written is told of with its name', async () => {
    await writeFile(to, 'a file');
    const done = await copy(image('one:1'));
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining(`cannot use ${to}: ENOTDIR`) });
  });

  it('loses what a killed process left in it, and not what a living one writes', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    const living = `.partial-${process.ppid}-00000000`;
    await mkdir(join(to, `.partial-${child.pid}-0a1b2c3d`), { recursive: true });
    await writeFile(join(to, `.partial-${child.pid}-0a1b2c3d`, '1'), 'half a layer');
    await mkdir(join(to, living));
    expect(await copy(image('one:1'))).toMatchObject({ code: 0 });
    expect((await readdir(to)).sort()).toEqual([living, 'blobs', 'index.json', 'oci-layout']);
  });
});

describe('Ctrl-C', () => {
  const program = (...words: string[]) =>
    spawn(
      process.execPath,
      ['--import', 'tsx', join(projectRoot, 'src/mirror/layerbox.ts'), 'mirror', ...words],
      {
        cwd: projectRoot,
        env: { ...process.env, DOCKER_CONFIG: '/nonexistent' },
      },
    );
  const textOf = (child: ChildProcess) => {
    const text = { out: '', err: '' };
    child.stdout?.on('data', (piece: Buffer) => {
      text.out += piece;
    });
    child.stderr?.on('data', (piece: Buffer) => {
      text.err += piece;
    });
    return text;
  };

  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s in the middle of a layer leaves whole images, and the next run fetches the rest alone',
    async (signal) => {
      registry.faults.set(layer(1), { kind: 'stall', after: 100 });
      // one request at a time: the first image is there before the second begins
      const words = ['--to', to, '--platform=linux/amd64', '--platform=linux/386', '--jobs=1'];
      const child = program(...words, image('two:1'), image('one:1'));
      const text = textOf(child);
      const ended = once(child, 'exit');
      await expect
        .poll(() => registry.seen.some(({ path, sent }) => path.includes(layer(1)) && sent >= 100), {
          timeout: 20_000,
        })
        .toBe(true);
      child.kill(signal);
      expect(await ended).toEqual([130, null]);
      expect(text.err).toContain('Interrupted.');
      expect(text.out).toBe(`${image('two:1')}: copied\n`);
      expect(Object.keys(await namesIn(to))).toEqual([image('two:1')]);
      await expectConsistent();

      registry.faults.clear();
      registry.release();
      registry.forget();
      const again = program(...words, image('two:1'), image('one:1'));
      const said = textOf(again);
      expect(await once(again, 'exit')).toEqual([0, null]);
      expect(said.out).toBe(`${image('two:1')}: up to date\n${image('one:1')}: copied\n`);
      const layers = registry.requests.filter((request) => /\/blobs\//.test(request));
      expect(layers.filter((request) => request.includes(layer(0)))).toEqual([]);
      expect(layers.filter((request) => request.includes(layer(1)))).toHaveLength(1);
      expect(await blobsIn(to)).toHaveLength(2 + 2 + 3);
      await expectConsistent();
    },
  );

  it('as a program: wrong words end with 125, as Docker ends', async () => {
    const child = program('--to', to, '--password', 'x', image('one:1'));
    const text = textOf(child);
    expect(await once(child, 'exit')).toEqual([125, null]);
    expect(text.err).toBe("layerbox: unknown flag: --password\nSee 'layerbox mirror --help'.\n");
  });
});

describe('what is shown', () => {
  it('on a terminal is one line that is drawn again, and gone at the end', async () => {
    let text = '';
    let time = 0;
    const stderr = {
      isTTY: true,
      columns: 40,
      write: (piece: string) => {
        text += piece;
      },
    };
    await mirror(['--to', to, image('one:1')], {
      stderr,
      now: () => {
        time += 1000;
        return time;
      },
    });
    const drawn = text.split('\r\x1b[2K').filter((line) => line.startsWith('Copied'));
    expect(drawn.length).toBeGreaterThan(3);
    expect(drawn.at(-1)).toMatch(/^Copied 3 of 3 blobs, \S+ of \S+/);
    expect(Math.max(...drawn.map((line) => line.split('\n')[0]?.length ?? 0))).toBeLessThan(40);
    expect(text).toMatch(/1 of 1 image in .*: \S+ copied, 0B there before\n$/);
  });

  it('into a pipe has no control characters', async () => {
    const done = await copy(image('one:1'));
    expect([...done.stderr].filter((character) => character < ' ' && character !== '\n')).toEqual([]);
    expect(done.stderr.split('\n')).toHaveLength(3);
  });

  it('with --quiet are the full names alone', async () => {
    expect(await copy('--quiet', image('one:1'))).toEqual({
      code: 0,
      stdout: `${image('one:1')}\n`,
      stderr: '',
    });
  });
});
