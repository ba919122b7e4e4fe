/** A layer much larger than the memory that a page may use. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { peakMemory } from '../support/processes.ts';
import { pushLayout, startRegistry } from '../support/registry.ts';
import { run } from '../support/run.ts';
import { dockerOk, openSandbox, shows } from '../support/sandbox-page.ts';

const FILES = 4;
const FILE_LENGTH = 512 << 20;

/** An OCI layout with one image, `large`: one layer, its files compressible by little. */
async function makeLarge(work: string): Promise<{ layout: string; digests: string[] }> {
  const root = join(work, 'root');
  await mkdir(root);
  for (let file = 0; file < FILES; file++) {
    // a cipher's output is the same each time, and base64 of it shrinks to three quarters
    const make = `openssl enc -aes-128-ctr -K 0${file} -iv 00 -in /dev/zero 2> /dev/null |
      base64 -w 0 | head -c ${FILE_LENGTH} > "$1"`;
    await run('bash', ['-c', make, 'bash', join(root, `file-${file}`)]);
  }
  const layout = join(work, 'layout');
  await run('umoci', ['init', '--layout', layout]);
  await run('umoci', ['new', '--image', `${layout}:large`]);
  await run('umoci', ['config', '--image', `${layout}:large`, '--os=linux', '--architecture=386']);
  await run('umoci', ['insert', '--image', `${layout}:large`, root, '/files']);
  const digests: string[] = [];
  for (const name of (await readdir(root)).sort()) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(join(root, name))) hash.update(chunk);
    digests.push(hash.digest('hex'));
  }
  await rm(root, { recursive: true });
  return { layout, digests };
}

describe.runIf(process.env.LAYERBOX_LONG === '1')('a layer of 2 GB', () => {
  it('lands in a page that uses less than 500 MB, and is what was sent', async () => {
    const work = await mkdtemp(join(tmpdir(), 'layerbox-large-'));
    const registry = await startRegistry();
    const { layout, digests } = await makeLarge(work);
    await pushLayout(layout, 'large', registry, 'test/large:latest');
    await rm(work, { recursive: true });
    const chromium = await startChromium();
    const page = await openSandbox(chromium, inject('site'));
    await shows(page, /host:~[$#]$/m);
    const peak = await peakMemory(chromium, () =>
      dockerOk(page, 'pull', '-q', `${registry.host}/test/large`),
    );
    console.log(`at most ${peak.toFixed(0)} MB`);
    expect(peak).toBeLessThan(500);
    const found = await page.evaluate(
      async ([reference, count]) => {
        const hex = (bytes: Uint8Array) =>
          [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        const sums = [];
        for (let file = 0; file < count; file++) {
          const bytes = new Uint8Array(await window.sandbox.files(reference).read(`/files/file-${file}`));
          sums.push(hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))));
        }
        return sums;
      },
      [`${registry.host}/test/large`, FILES] as const,
    );
    expect(found).toEqual(digests);
    await chromium.close();
    await registry.close();
  }, 1_200_000);
});
