/** `docker pull` with its flags, from the real CNCF Distribution. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { openSandbox, type TestSandbox } from '../container/sandbox.ts';
import { getDocument, makeLayout, pushIndex } from '../mirror/images.ts';

let registry: Registry;
let made: Awaited<ReturnType<typeof makeLayout>>;
beforeAll(async () => {
  [registry, made] = await Promise.all([startRegistry(), makeLayout(['linux/386', 'linux/amd64'])]);
  await pushIndex(made.path, registry, 'test/multi', ['linux/386', 'linux/amd64']);
});
afterAll(async () => {
  await registry.close();
  await made.remove();
});

const open = () => openSandbox({ fetch: (url, init) => fetch(url, init) });
const name = (tag: string) => `${registry.host}/test/multi:${tag}`;
const platforms = async ({ stores }: TestSandbox) =>
  Object.fromEntries(
    (await stores.records.list('images')).map(({ id, platform }) => [id, platform.architecture]),
  );

describe('docker pull -a', () => {
  it('brings every tag of the repository, and says how it ended once', async () => {
    const sandbox = await open();
    const { code, out, err } = await sandbox.docker(`pull -a ${registry.host}/test/multi`);
    expect(code).toBe(0);
    expect(await platforms(sandbox)).toEqual({
      [name('latest')]: '386',
      [name('linux-386')]: '386',
      [name('linux-amd64')]: 'amd64',
    });
    const digests = await Promise.all(
      ['latest', 'linux-386', 'linux-amd64'].map((tag) => getDocument(registry, 'test/multi', tag)),
    );
    expect(out.split('\n').filter((line) => !/^[0-9a-f]{12}: /.test(line))).toEqual([
      'latest: Pulling from test/multi',
      `Digest: ${digests[0]?.digest}`,
      'linux-386: Pulling from test/multi',
      `Digest: ${digests[1]?.digest}`,
      'linux-amd64: Pulling from test/multi',
      `Digest: ${digests[2]?.digest}`,
      `Status: Downloaded newer image for ${registry.host}/test/multi`,
      `${registry.host}/test/multi`,
      '',
    ]);
    expect(err).toMatch(/^WARNING: The requested image's platform \(linux\/amd64\)[^\n]*\n$/);
    const again = await sandbox.docker(`pull -a ${registry.host}/test/multi`);
    expect(again.out).toContain(`Status: Image is up to date for ${registry.host}/test/multi\n`);
  });

  it('-q says the name alone', async () => {
    const { out } = await (await open()).docker(`pull -a -q ${registry.host}/test/multi`);
    expect(out).toBe(`${registry.host}/test/multi\n`);
  });

  it.each([
    ['pull -a HOST/test/multi:1', 1, /^tag can't be used with --all-tags\/-a\n$/],
    ['pull -a HOST/test/none', 1, /^Error response from daemon: the tags of \S+\/test\/none not found/],
    ['pull -a --platform a/b/c/d HOST/test/multi', 1, /cannot parse platform specifier/],
  ])('%s is refused', async (line, code, message) => {
    const sandbox = await open();
    const result = await sandbox.docker(line.replace('HOST', registry.host));
    expect(result).toMatchObject({ code, out: '', err: expect.stringMatching(message) });
    expect(await platforms(sandbox)).toEqual({});
  });
});

describe('docker pull --platform', () => {
  it('takes that manifest of an index', async () => {
    const sandbox = await open();
    await sandbox.docker(`pull --platform linux/amd64 ${name('latest')}`);
    expect(await platforms(sandbox)).toEqual({ [name('latest')]: 'amd64' });
  });

  it('with -a holds for every tag', async () => {
    const sandbox = await open();
    const { code, err } = await sandbox.docker(`pull -a --platform linux/386 ${registry.host}/test/multi`);
    expect(code).toBe(1);
    expect(err).toMatch(/platform \(linux\/amd64\) does not match the specified platform \(linux\/386\)/);
    expect(await platforms(sandbox)).toEqual({ [name('latest')]: '386', [name('linux-386')]: '386' });
  });
});
