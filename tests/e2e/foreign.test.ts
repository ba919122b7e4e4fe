import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { makeForeignImage, putForeignIndex } from '../support/foreign-image.ts';
import { pushLayout, type Registry } from '../support/registry.ts';
import { docker, dockerOk, openSandbox, shows, type } from '../support/sandbox-page.ts';

let chromium: Chromium;
let page: Page;
const registry: Registry = { host: inject('registry'), close: async () => undefined };
const image = `${registry.host}/test/foreign:plain`;
const index = `${registry.host}/test/foreign:index`;
const notice = /platform \(linux\/amd64\) does not match the machine's \(linux\/386\)/;
const host = /host:~[$#]$/;

beforeAll(async () => {
  await pushLayout(await makeForeignImage(), 'foreign', registry, 'test/foreign:plain');
  await putForeignIndex(registry, 'test/foreign', 'plain', 'index');
  chromium = await startChromium();
  page = await openSandbox(chromium, inject('site'));
});
afterAll(() => chromium.close());

describe('an image whose platform the machine does not run', () => {
  it('is refused when another platform was asked for, in the words of docker', async () => {
    const arm = ['pull', '--platform', 'linux/arm64'] as const;
    expect(await docker(page, ...arm, index)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/no matching manifest for linux\/arm64.* in the manifest list entries/),
    });
    expect(await docker(page, ...arm, image)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/platform \(linux\/amd64\) does not match the specified platform/),
    });
    expect(await docker(page, 'run', '--platform', 'linux/arm64', '--rm', index, 'ls')).toMatchObject({
      exitCode: 125,
    });
    expect(await dockerOk(page, 'images', '-q')).toBe('');
  });

  for (const [name, reference] of [
    ['by its own manifest', image],
    ['through an index', index],
  ] as const) {
    it(`is pulled ${name}, with a plain notice`, async () => {
      const pulled = await docker(page, 'pull', reference);
      expect(pulled).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Status: Downloaded') });
      expect(pulled.stderr).toMatch(notice);
      expect(await dockerOk(page, 'image', 'inspect', '--format', '{{.Architecture}}', reference)).toBe(
        'amd64\n',
      );
    });
  }

  it('is walked by files()', async () => {
    const found = await page.evaluate(async (name) => {
      const view = window.sandbox.files(name);
      const paths: string[] = [];
      for await (const { path } of view.walk()) paths.push(path);
      const header = [...(await view.read('/bin/ls')).subarray(0, 20)];
      return { paths, header, motd: new TextDecoder().decode(await view.read('/etc/motd')) };
    }, image);
    expect(found.paths).toContain('/bin/busybox');
    expect(found.motd).toBe('of another platform\n');
    // e_machine of its ELF header: 62 is x86-64
    expect(found.header.slice(0, 4)).toEqual([0x7f, 0x45, 0x4c, 0x46]);
    expect(found.header[18]).toBe(62);
  });

  it('gets the walk shell beside its files on a terminal', async () => {
    await shows(page, host);
    await type(page, `docker run -it --rm --name walked ${image}`);
    await shows(page, /\/ #$/);
    await type(page, 'clear; cat /etc/motd; echo flavour=$FLAVOUR; ls -l /bin/busybox');
    await shows(page, /^of another platform\nflavour=foreign\n-rwxr-xr-x .*\/bin\/busybox\n/);
  });

  it("says the platform when one of the image's programs is run in it", async () => {
    await type(page, 'clear; /bin/busybox; echo code=$?');
    const text = await shows(page, /code=\d+/);
    expect(text).toMatch(/linux\/amd64/);
    expect(text).toMatch(/code=126/);
    await type(page, 'exit');
    await shows(page, host);
  });

  it('says so, with exit code 126, when one of its programs is what the container is to run', async () => {
    const started = await docker(page, 'run', '--rm', image, 'ls', '/');
    expect(started).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('linux/amd64') });
    expect(started.stderr).toMatch(notice);
    await dockerOk(page, 'run', '-d', '--name', 'still', image, 'sh', '-c', 'sleep 1000');
    expect(await dockerOk(page, 'exec', 'still', 'sh', '-c', 'cat /etc/motd')).toBe('of another platform\n');
    expect(await docker(page, 'exec', 'still', '/bin/ls', '/')).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining('linux/amd64'),
    });
    await dockerOk(page, 'rm', '-f', 'still');
  });
});

it('the page raised no error', () => {
  expect(chromium.complaints.filter((text) => !/Failed to load resource|CORS policy/.test(text))).toEqual([]);
});
