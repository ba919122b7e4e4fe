/** A browser that gives little: programs are told that the disk is full, and nothing that was acknowledged is lost. */

import { createHash } from 'node:crypto';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { contentDigests, docker, dockerOk, openSandbox } from '../support/sandbox-page.ts';
import { storedState } from '../support/stored-state.ts';

/** Bytes that the browser gives beyond what is there already. */
const ROOM = 14 * 1024 * 1024;

let chromium: Chromium;
let page: Page;
/** SHA-256 of what was acknowledged, as sha256sum prints it. */
let kept = '';
let quota = 0;

/** The limit is set before the site is opened: what Chromium remembers of one may be half a minute old. */
async function openWithin(bytes: number, profile?: string): Promise<void> {
  chromium = await startChromium(profile === undefined ? {} : { profile });
  const blank = await chromium.newPage();
  // it holds for as long as the session that set it
  const session = await blank.context().newCDPSession(blank);
  const { origin } = new URL(inject('site'));
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: bytes });
  page = await openSandbox(chromium, inject('site'));
}

/** An image that no container uses takes most of what the browser gives. */
beforeAll(async () => {
  const first = await startChromium();
  const wide = await openSandbox(first, inject('site'));
  await dockerOk(wide, 'pull', '-q', `${inject('registry')}/test/debian`);
  quota = ROOM + (await wide.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0));
  await first.close({ keepProfile: true });
  await openWithin(quota, first.profile);
});
afterAll(() => chromium.close());

const inBox = (line: string) => docker(page, 'exec', 'box', 'sh', '-c', line);
/** Of what does not compress: what is stored is compressed in places. */
const RANDOM = 'head -c 1048576 /dev/urandom >/random';
/** So many megabytes, synced. */
const fill = (name: string, megabytes: number) =>
  `n=0; while [ $n -lt ${megabytes} ]; do cat /random; n=$((n + 1)); done | dd of=${name} bs=64k conv=fsync`;

describe('a full browser', () => {
  it('lets a program that syncs know, and what was synced before is whole', async () => {
    await dockerOk(page, 'run', '-d', '--name', 'box', 'busybox', 'sleep', '1000000');
    expect(await inBox(`${RANDOM}; ${fill('/kept', 2)}`)).toMatchObject({ exitCode: 0 });
    kept = (await inBox('sha256sum /kept')).stdout;
    expect(kept).toMatch(/^[0-9a-f]{64} /);
    const full = await inBox(fill('/fill', 90));
    expect(full.stderr).toMatch(/No space left on device/);
    expect(full.exitCode).toBe(1);
    expect((await inBox('sha256sum /kept')).stdout).toBe(kept);
    // and the next one too, whose file is small
    expect((await inBox(fill('/more', 1))).stderr).toMatch(/No space left on device/);
  });

  it('is what the page tells, with what can be pruned and how much that frees', async () => {
    const notice = page.getByRole('alert', { name: 'Storage is full' });
    await notice
      .getByText(/Images that no container uses \(1\): pruning them frees \d+(\.\d+)? MB/)
      .waitFor();
    await notice.getByRole('button', { name: 'docker image prune --all' }).waitFor();
  });

  it('refuses a pull with a sentence, and nothing of it is left', async () => {
    const before = await dockerOk(page, 'images', '-q');
    const pulled = await docker(page, 'pull', '-q', `${inject('registry')}/test/big`);
    expect(pulled.exitCode).toBe(1);
    expect(pulled.stderr).toMatch(
      /no space left in the browser's storage while .*: remove images and containers that are not needed/,
    );
    expect(await dockerOk(page, 'images', '-q')).toBe(before);
    expect(await storedState(page)).toMatchObject({ wrong: [], orphans: [] });
  });

  it('is writable again when something was pruned', async () => {
    expect(await inBox('rm -f /fill /more')).toMatchObject({ exitCode: 0 });
    await dockerOk(page, 'image', 'prune', '-a', '-f');
    await expect
      .poll(async () => (await inBox(fill('/again', 1))).exitCode, { timeout: 90_000, interval: 1000 })
      .toBe(0);
  });

  it('that is killed has what was acknowledged', async () => {
    const again = (await inBox('sha256sum /again')).stdout;
    // the next test fills it
    const usage = await page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
    await chromium.kill();
    await openWithin(Math.min(quota, usage + ROOM / 2), chromium.profile);
    await dockerOk(page, 'start', 'box');
    expect((await inBox('sha256sum /kept')).stdout).toBe(kept);
    expect((await inBox('sha256sum /again')).stdout).toBe(again);
    expect(await storedState(page)).toMatchObject({ wrong: [], orphans: [] });
  });

  it('lets a program that does not sync know, and what gave no error is there when the page is loaded again', async () => {
    await inBox('mkdir /from && head -c 524288 /random >/from/random && echo small >/from/small');
    const loop = await inBox(
      'i=0; while echo data $i >/e$i && cp -r /from /copy$i; do echo $i; i=$((i + 1)); done; dd if=/random of=/one bs=64k',
    );
    expect(loop.stderr.match(/No space left on device/g)?.length).toBeGreaterThanOrEqual(2);
    expect(loop.exitCode).toBe(1);
    const done = loop.stdout.trimEnd().split('\n');
    expect(done.length).toBeGreaterThan(5);
    const [random] = await contentDigests(page, 'box', ['/from/random']);
    await page.reload();
    const digest = (text: string) => createHash('sha256').update(text).digest('hex');
    // all in one go: each opens the container's tree, which has much in its journal
    const paths = done.flatMap((i) => [`/e${i}`, `/copy${i}/random`, `/copy${i}/small`]);
    const wanted = done.flatMap((i) => [digest(`data ${i}\n`), random, digest('small\n')]);
    expect(await contentDigests(page, 'box', paths)).toEqual(wanted);
    expect(await storedState(page)).toMatchObject({ wrong: [], orphans: [] });
  });
});
