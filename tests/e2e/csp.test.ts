import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { StaticServer } from '../../scripts/serve.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { docker, dockerOk, shows, type } from '../support/sandbox-page.ts';
import { serveBelow } from '../support/sub-path.ts';

declare global {
  interface Window {
    violations: string[];
  }
}

let chromium: Chromium;
let page: Page;
let server: StaticServer;
const paths: string[] = [];

beforeAll(async () => {
  server = await serveBelow(join(import.meta.dirname, '../../dist'), 'a/b');
  chromium = await startChromium();
  page = await chromium.newPage();
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  page.on('request', (request) => paths.push(new URL(request.url()).pathname));
  await page.goto(server.url, { waitUntil: 'load' });
});
afterAll(async () => {
  await chromium.close();
  await server.close();
});

describe('the site below a path', () => {
  it('pulls and runs, and asks for nothing outside of its folder', async () => {
    await shows(page, /host:~[$#]$/m);
    await dockerOk(page, 'pull', 'busybox');
    expect(await dockerOk(page, 'run', '--rm', 'busybox', 'echo', 'from below')).toBe('from below\n');
    await dockerOk(page, 'pull', `${inject('registry')}/test/busybox`);
    expect(paths.filter((path) => !path.startsWith('/a/b/') && !path.startsWith('/v2/'))).toEqual([]);
  });
});

describe('the Content-Security-Policy', () => {
  it('is in the header and in the page, for the page and for its workers', async () => {
    const html = await fetch(server.url);
    const header = html.headers.get('content-security-policy') ?? '';
    const text = await html.text();
    const meta = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
    for (const policy of [header, meta ?? '']) {
      const scripts = /script-src ([^;]*)/.exec(policy)?.[1];
      expect(scripts?.split(' ').toSorted()).toEqual(["'self'", "'wasm-unsafe-eval'"]);
      expect(policy).toMatch(/default-src 'self'/);
      expect(policy).toMatch(/connect-src 'self' https:/);
      expect(policy).toMatch(/object-src 'none'/);
    }
    expect(header).toMatch(/frame-ancestors/);
    // it has to come before what it governs
    expect(text.indexOf('Content-Security-Policy')).toBeLessThan(text.indexOf('<script'));
    const workers = page.workers().map((worker) => worker.url());
    expect(workers.length).toBeGreaterThan(0);
    for (const url of workers) {
      expect((await fetch(url)).headers.get('content-security-policy')).toBe(header);
    }
  });

  it('has no inline script, and no handler in an attribute, to allow', async () => {
    const text = await (await fetch(server.url)).text();
    for (const [tag] of text.matchAll(/<script\b[^>]*>/g)) expect(tag).toMatch(/ src="/);
    expect(text).not.toMatch(/\son[a-z]+=|javascript:/i);
  });

  it('was not violated, and would stop what is not of the site', async () => {
    await type(page, 'docker run --rm busybox ls -l /; echo do""ne');
    await shows(page, /\ndone\n/);
    expect(await page.evaluate(() => window.violations)).toEqual([]);
    expect(chromium.complaints.filter((line) => /Content.Security.Policy|Refused to/i.test(line))).toEqual(
      [],
    );
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.violations.push("it ran")';
      document.body.append(script);
    });
    // one report each for the header's policy and the page's
    await expect
      .poll(() => page.evaluate(() => [...new Set(window.violations)]))
      .toEqual(['script-src-elem inline']);
  });
});

describe('without a network, once loaded', () => {
  it('runs a pulled image, and says why it cannot pull another', async () => {
    await page.context().setOffline(true);
    expect(await dockerOk(page, 'run', '--rm', 'busybox', 'echo', 'alone')).toBe('alone\n');
    const bundled = await docker(page, 'pull', 'layerbox/changed');
    expect(bundled.exitCode).toBe(1);
    expect(bundled.stderr).toMatch(/127\.0\.0\.1|layerbox\/changed/);
    const host = inject('registry');
    const elsewhere = await docker(page, 'pull', `${host}/test/debian`);
    expect(elsewhere.exitCode).toBe(1);
    expect(elsewhere.stderr).toContain(host);
    expect(await dockerOk(page, 'images', '-q')).not.toBe('');
  });
});
