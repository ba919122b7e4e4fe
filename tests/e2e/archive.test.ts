import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { run } from '../support/run.ts';
import { dockerOk, openSandbox, sh, shows, type } from '../support/sandbox-page.ts';

/** Archives of images between the page, its terminal and the computer it is open on. */

let chromium: Chromium;
let page: Page;
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layerbox-archives-'));
  const layout = inject('layout');
  const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', 'copy', '-q', ...args]);
  await skopeo(`oci:${layout}:busybox`, `docker-archive:${file('docker.tar')}:box:docker`);
  await skopeo(`oci:${layout}:busybox`, `oci-archive:${file('oci.tar')}:box:oci`);
  chromium = await startChromium();
  page = await openSandbox(chromium, inject('site'));
});
afterAll(async () => {
  await chromium.close();
  await rm(folder, { recursive: true });
});

/** Files dropped on the page, as a browser does it. */
async function drop(names: readonly string[]): Promise<void> {
  const files = await Promise.all(
    names.map(async (name) => ({ name, content: (await readFile(file(name))).toString('base64') })),
  );
  await page.evaluate((dropped) => {
    const transfer = new DataTransfer();
    for (const { name, content } of dropped) {
      const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    for (const kind of ['dragenter', 'dragover', 'drop']) {
      document.body.dispatchEvent(
        new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }),
      );
    }
  }, files);
}

describe('an archive', () => {
  it('that is dropped on the page is loaded, whoever wrote it', async () => {
    await drop(['docker.tar', 'oci.tar']);
    await page.getByRole('status').filter({ hasText: 'Loaded image: box:oci' }).waitFor();
    const names = await dockerOk(page, 'images', '--format', '{{.Repository}}:{{.Tag}}');
    expect(
      names
        .split('\n')
        .filter((name) => name.startsWith('box:'))
        .sort(),
    ).toEqual(['box:docker', 'box:oci']);
    expect((await sh(page, 'docker run --rm box:docker cat /data/kept')).stdout).toBe('kept, and changed\n');
  });

  it('that is none says so in an alert', async () => {
    await writeFile(file('nothing.tar'), 'nothing at all'.repeat(100));
    await drop(['nothing.tar']);
    await page.getByRole('alert').filter({ hasText: 'nothing.tar was not loaded: ' }).waitFor();
  });

  it('is downloaded from the image’s view, and skopeo reads it', async () => {
    await page.getByRole('link', { name: 'box:oci' }).first().click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('box_oci.tar');
    await download.saveAs(file('saved.tar'));
    const inspect = async (name: string) =>
      JSON.parse(await run('skopeo', ['inspect', '--raw', `oci-archive:${file(name)}`]));
    expect(await inspect('saved.tar')).toEqual(await inspect('oci.tar'));
  });

  it('goes through a pipe of the terminal', async () => {
    await shows(page, /host:~[$#]$/);
    await page.locator('.xterm-helper-textarea').first().focus();
    await type(
      page,
      'clear; docker save box:oci | gzip > b.tgz; docker rmi box:oci >/dev/null; docker load -i b.tgz',
    );
    await shows(page, /Loaded image: box:oci/);
    await type(page, 'clear; docker save box:oci; echo code=$?');
    expect(await shows(page, /code=\d/)).toMatch(/cowardly refusing to save to a terminal[\s\S]*code=1/);
  });
});

it('the page raised no error', () => {
  expect(chromium.complaints).toEqual([]);
});
