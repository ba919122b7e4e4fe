import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { docker, dockerOk, openSandbox, storedRows } from '../support/sandbox-page.ts';

let chromium: Chromium;
let page: Page;
const image = `${inject('registry')}/test/busybox`;

beforeAll(async () => {
  chromium = await startChromium();
  page = await openSandbox(chromium, inject('site'));
  await dockerOk(page, 'pull', image);
});
afterAll(() => chromium.close());

describe('sandbox.docker with io', () => {
  it('gives the bytes of a program as they are', async () => {
    const seen = await page.evaluate(async (name) => {
      const pieces: Uint8Array[] = [];
      const { exitCode } = await window.sandbox.docker(['run', '--rm', name, 'cat', '/bin/busybox'], {
        onStdout: (bytes) => {
          pieces.push(bytes.slice());
        },
      });
      const whole = new Uint8Array(
        await new Blob(pieces.map((piece) => new Uint8Array(piece))).arrayBuffer(),
      );
      const real = await window.sandbox.files(name).read('/bin/busybox');
      return {
        exitCode,
        length: whole.length,
        wanted: real.length,
        isSame: whole.every((byte, at) => byte === real[at]),
      };
    }, image);
    expect(seen.wanted).toBeGreaterThan(1_000_000);
    expect(seen).toEqual({ exitCode: 0, length: seen.wanted, wanted: seen.wanted, isSame: true });
  });

  it('keeps standard output and standard error apart', async () => {
    const seen = await page.evaluate(async (name) => {
      const text = { out: '', err: '' };
      const decoder = new TextDecoder();
      const result = await window.sandbox.docker(
        ['run', '--rm', name, 'sh', '-c', 'echo good; echo bad >&2; exit 3'],
        {
          onStdout: (bytes) => {
            text.out += decoder.decode(bytes);
          },
          onStderr: (bytes) => {
            text.err += decoder.decode(bytes);
          },
        },
      );
      return { result, text };
    }, image);
    expect(seen.result).toEqual({ exitCode: 3, stdout: 'good\n', stderr: 'bad\n' });
    expect(seen.text).toEqual({ out: 'good\n', err: 'bad\n' });
  });

  it('reads its input from bytes, from a string and from a stream', async () => {
    const seen = await page.evaluate(async (name) => {
      const every = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7 + (at >> 8)) & 255);
      const argv = ['run', '-i', '--rm', name, 'cat'];
      const bytesBack = async (stdin: Uint8Array | AsyncIterable<Uint8Array>) => {
        const pieces: Uint8Array<ArrayBuffer>[] = [];
        await window.sandbox.docker(argv, {
          stdin,
          onStdout: (bytes) => {
            pieces.push(new Uint8Array(bytes));
          },
        });
        const back = new Uint8Array(await new Blob(pieces).arrayBuffer());
        return back.length === every.length && back.every((byte, at) => byte === every[at]);
      };
      async function* inPieces() {
        for (let at = 0; at < every.length; at += 33_333) yield every.subarray(at, at + 33_333);
      }
      return {
        bytes: await bytesBack(every),
        stream: await bytesBack(inPieces()),
        text: (await window.sandbox.docker(argv, { stdin: 'grüße\n' })).stdout,
        nothing: (await window.sandbox.docker(argv)).stdout,
      };
    }, image);
    expect(seen).toEqual({ bytes: true, stream: true, text: 'grüße\n', nothing: '' });
  });

  it('ends the command when its signal aborts, and rejects with the reason', async () => {
    const seen = await page.evaluate(async (name) => {
      const stop = new AbortController();
      const running = window.sandbox.docker(
        ['run', '--name', 'endless', name, 'sh', '-c', 'echo up; exec sleep 1000'],
        {
          signal: stop.signal,
          onStdout: () => stop.abort(new Error('enough')),
        },
      );
      return running.then(
        () => 'it ended',
        (error) => `rejected: ${error.message}`,
      );
    }, image);
    expect(seen).toBe('rejected: enough');
    const already = await page.evaluate(() =>
      window.sandbox.docker(['images'], { signal: AbortSignal.abort(new Error('before')) }).catch(String),
    );
    expect(already).toBe('Error: before');
    // as when a terminal's `docker run` is killed: what it attached to is told by its own rules
    await dockerOk(page, 'rm', '-f', 'endless');
    expect(await dockerOk(page, 'ps', '-aq')).toBe('');
  });
});

describe('errors keep what they are across the worker', () => {
  it('files() of what is not there', async () => {
    const seen = await page.evaluate(async () => {
      const tell = (error: unknown) =>
        error instanceof Error
          ? { name: error.name, code: Reflect.get(error, 'code'), message: error.message }
          : error;
      const view = window.sandbox.files('nowhere:none');
      return {
        read: await view.read('/').catch(tell),
        walk: await view.walk()[Symbol.asyncIterator]().next().catch(tell),
        file: await window.sandbox
          .images()
          .then(([first]) => window.sandbox.files(first?.reference ?? '').read('/no/such'))
          .catch(tell),
      };
    });
    const missing = {
      name: 'NoSuchImageError',
      code: 'NoSuchImage',
      message: expect.stringContaining('nowhere:none'),
    };
    expect(seen.read).toMatchObject(missing);
    expect(seen.walk).toMatchObject(missing);
    expect(seen.file).toMatchObject({
      name: 'NoSuchFileError',
      message: expect.stringContaining('/no/such'),
    });
  });
});

const usage = () => page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);

describe('removal gives the space back', () => {
  it('of everything', async () => {
    await page.evaluate(() => window.sandbox.images());
    await dockerOk(page, 'rmi', image);
    await page.reload();
    expect(await dockerOk(page, 'images', '-aq')).toBe('');
    const before = { usage: await usage(), stored: await storedRows(page) };
    const files = Object.keys(before.stored).find(
      (name) => name.startsWith('layerbox-journals/') && name.endsWith('/files'),
    );
    expect(files).toBeDefined();

    await dockerOk(page, 'pull', `${inject('registry')}/test/debian`);
    await dockerOk(page, 'pull', 'busybox');
    await dockerOk(
      page,
      'run',
      '--name',
      'one',
      'busybox',
      'sh',
      '-c',
      'dd if=/dev/urandom of=/big bs=1M count=8; sync',
    );
    await dockerOk(
      page,
      'run',
      '-d',
      '--name',
      'two',
      'busybox',
      'sh',
      '-c',
      'echo x > /x; sync; exec sleep 1000',
    );
    const added = (await usage()) - before.usage;
    expect(added).toBeGreaterThan(40_000_000);
    const full = await storedRows(page);
    expect(full[files ?? '']).toBeGreaterThan(before.stored[files ?? ''] ?? 0);

    expect((await docker(page, 'rm', 'two')).exitCode).toBe(1);
    await dockerOk(page, 'rm', '-f', 'one', 'two');
    await dockerOk(page, 'rmi', `${inject('registry')}/test/debian`, 'busybox');
    await page.reload();
    expect(await dockerOk(page, 'ps', '-aq')).toBe('');
    expect(await dockerOk(page, 'images', '-aq')).toBe('');
    await expect
      .poll(
        async () => {
          const rows = Object.entries(await storedRows(page)).filter(([, count]) => count > 0);
          return rows
            .map(([name]) => name)
            .filter((name) =>
              /^files\/|\/(blobs|chunks|layers|images|containers|ingests|leases|logs)$/.test(name),
            );
        },
        { timeout: 20_000 },
      )
      .toEqual([]);
    // the host's own home stays
    expect((await storedRows(page))[files ?? '']).toBeLessThanOrEqual((before.stored[files ?? ''] ?? 0) + 3);
    await expect
      .poll(async () => ((await usage()) - before.usage) / added, { timeout: 60_000 })
      .toBeLessThan(0.3);
  });
});

it('the page raised no error', () => {
  expect(chromium.complaints.filter((text) => !/Failed to load resource|CORS policy/.test(text))).toEqual([]);
});
