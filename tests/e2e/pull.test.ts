import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { listTree } from '../support/real-tree.ts';
import { docker, dockerOk, listUnion, openSandbox } from '../support/sandbox-page.ts';

let chromium: Chromium;
let page: Page;

beforeAll(async () => {
  chromium = await startChromium();
  page = await openSandbox(chromium, inject('site'));
});
afterAll(() => chromium.close());

const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);

describe('an image of a CNCF Distribution on another origin', () => {
  for (const tag of ['busybox', 'debian'] as const) {
    it(`${tag}: the walked union equals what umoci unpacks`, async () => {
      const reference = `${inject('registry')}/test/${tag}`;
      const output = await dockerOk(page, 'pull', reference);
      expect(output).toContain(`Status: Downloaded newer image for ${reference}:latest`);
      expect(output).toMatch(/Digest: sha256:[0-9a-f]{64}\n/);
      const walked = await listUnion(page, reference);
      expect(walked[0]?.path).toBe('/');
      const real = listTree(inject('roots')[tag]);
      expect(walked.length).toBe(real.length);
      expect(walked.toSorted(byPath)).toEqual(real.toSorted(byPath));
    });
  }

  it('walks bytewise by path, parents first', async () => {
    const paths = await page.evaluate(
      async (name) => {
        const found: string[] = [];
        for await (const entry of window.sandbox.files(name).walk()) found.push(entry.path);
        return found;
      },
      `${inject('registry')}/test/debian`,
    );
    const bytewise = paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(paths).toEqual(bytewise);
  });

  it('is up to date when pulled again, and says so', async () => {
    const reference = `${inject('registry')}/test/debian`;
    const output = await dockerOk(page, 'pull', reference);
    expect(output).toContain(`Status: Image is up to date for ${reference}:latest`);
  });

  it('a layer that another image brought is not fetched again', async () => {
    const requests = await page.evaluate(
      async (name) => {
        const blobs: string[] = [];
        const stop = window.sandbox.events().subscribe((event) => {
          if (event.type === 'layer') blobs.push(`${event.digest} ${event.status}`);
        });
        await window.sandbox.docker(['pull', name]);
        stop();
        return blobs;
      },
      `${inject('registry')}/test/big`,
    );
    const exists = new Set(requests.filter((line) => line.endsWith('exists')));
    const downloaded = new Set(requests.filter((line) => line.endsWith('complete')));
    expect(exists.size).toBe(3);
    expect(downloaded.size).toBe(1);
  });

  it('lists the images as docker does', async () => {
    const lines = (await dockerOk(page, 'images', '--format', 'table')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
    expect(
      lines.slice(1).some((line) => /\/test\/debian +latest +[0-9a-f]{12} +.* ago +[\d.]+MB$/.test(line)),
    ).toBe(true);
  });

  it('removes an image whose layers another one needs, and keeps those', async () => {
    const host = inject('registry');
    await dockerOk(page, 'rmi', `${host}/test/busybox`);
    expect((await docker(page, 'inspect', `${host}/test/busybox`)).exitCode).toBe(1);
    const files = await page.evaluate(async (name) => {
      const bytes = await window.sandbox.files(name).read('/data/kept');
      return new TextDecoder().decode(bytes);
    }, `${host}/test/big`);
    expect(files).toBe('kept, and changed\n');
  });
});

describe('the bundled images', () => {
  it('busybox comes from beside the page', async () => {
    const output = await dockerOk(page, 'pull', 'busybox');
    expect(output).toContain('Status: Downloaded newer image for busybox:latest');
    expect(output.trimEnd().split('\n').at(-1)).toBe('docker.io/library/busybox:latest');
  });

  it('what no mirror has gets a message that explains CORS and what to do', async () => {
    const result = await docker(page, 'pull', 'python:3.12');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/CORS/);
    expect(result.stderr).toMatch(/docker\.io/);
    expect(result.stderr).toMatch(/mirror/);
  });
});

it('the page raised no error', () => {
  expect(chromium.complaints.filter((text) => !/Failed to load resource|CORS policy/.test(text))).toEqual([]);
});
