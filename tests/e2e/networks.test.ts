import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { docker, dockerOk, openSandbox, sh, shows, type } from '../support/sandbox-page.ts';

let chromium: Chromium;
let page: Page;
const site = inject('site');
const prompt = /host:~[$#]\s*$/;
/** What the browser asked for. */
const requests: string[] = [];

beforeAll(async () => {
  chromium = await startChromium();
  page = await openSandbox(chromium, site);
  page.on('request', (request) => requests.push(request.url()));
  await shows(page, prompt);
  await dockerOk(page, 'pull', '-q', 'busybox');
}, 180_000);
afterAll(() => chromium.close());

/** A picture of one red point. */
const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

const INDEX = `<html><head><title>Harbour</title><link rel=stylesheet href=/style.css></head>
<body><h1>Welcome</h1><img id=dot src=img/dot.png alt=dot><a href=next/>Onward</a> <a href=https://evil.test/>Away</a></body></html>`;

const HOSTILE = `<html><head><meta http-equiv=refresh content="0;url=http://evil.test/refresh"><base href=http://evil.test/>
<link rel=stylesheet href=http://evil.test/a.css><link rel=dns-prefetch href=//evil.test><script>parent.postMessage({type:'layerbox-link',href:'/next/'},'*');document.title='ran'</script>
<style>@import url(http://evil.test/b.css); body{background:url(http://evil.test/c.png)}</style><script src=/evil.js></script></head>
<body onload="document.body.textContent='ran'"><h1>Still here</h1><img src=http://evil.test/d.png onerror="document.body.textContent='ran'">
<iframe src=http://evil.test/e></iframe><object data=http://evil.test/f></object><svg><image href=http://evil.test/g /><a href=http://evil.test/h><text y=20>svg</text></a></svg>
<form action=http://evil.test/i><button>send</button></form><a href="javascript:document.body.textContent='ran'">script</a></body></html>`;

const write = (path: string, text: string) =>
  `echo ${Buffer.from(text).toString('base64')} | base64 -d > ${path}`;
const serving = [
  'mkdir -p /www/img /www/next && cd /www',
  write('index.html', INDEX),
  write('style.css', 'h1 { color: rgb(1, 2, 3) } body { background: url(img/dot.png) }'),
  `echo ${PICTURE} | base64 -d > img/dot.png`,
  write('next/index.html', '<title>Next</title><h1>Arrived</h1><a href=../hostile.html>Trap</a>'),
  write('hostile.html', HOSTILE),
  write('evil.js', "document.body.textContent='ran'"),
  'exec httpd -f -h /www',
].join('\n');

describe('in the terminal', () => {
  it('a web server and a client on a network find each other, and the host reads a published port', async () => {
    await type(page, 'docker network create lan >/dev/null && echo net""work');
    await shows(page, /^network$/m);
    await dockerOk(
      page,
      'run',
      '-d',
      '--name',
      'web',
      '--network',
      'lan',
      '-p',
      '8080:80',
      'busybox',
      'sh',
      '-c',
      serving,
    );
    await type(page, 'docker run --rm --network lan busybox wget -qO- web/next/');
    await shows(page, /<h1>Arrived<\/h1>/);
    await type(page, 'clear; wget -qO- localhost:8080 | head -1; docker port web');
    await shows(page, /<title>Harbour<\/title>[\s\S]*80\/tcp -> 0\.0\.0\.0:8080/);
    await type(page, 'clear; docker ps');
    await shows(page, /PORTS[\s\S]*0\.0\.0\.0:8080->80\/tcp/);
  });
});

describe('the page', () => {
  const frame = () => page.frameLocator('iframe[title="What port 8080 serves"]');

  it('shows what a port serves: document, style, image, and where its links lead', async () => {
    await page.goto(`${site}#/containers/web`);
    await page.getByRole('main').getByText('0.0.0.0:8080 → 80/tcp').waitFor();
    await page.getByRole('button', { name: 'Open port 8080' }).press('Enter');
    await frame().getByRole('heading', { name: 'Welcome' }).waitFor();
    const seen = await frame()
      .locator('body')
      .evaluate((body) => ({
        color: getComputedStyle(body.querySelector('h1') ?? body).color,
        background: getComputedStyle(body).backgroundImage.slice(0, 22),
        width: body.querySelector('img')?.naturalWidth,
        origin: window.origin,
      }));
    expect(seen).toEqual({
      color: 'rgb(1, 2, 3)',
      background: 'url("data:image/png;ba',
      width: 1,
      origin: 'null',
    });
    await frame().getByRole('link', { name: 'Away' }).click();
    await page.getByText('That link leads out of the container').waitFor();
    await frame().getByRole('link', { name: 'Onward' }).press('Enter');
    await frame().getByRole('heading', { name: 'Arrived' }).waitFor();
    await page.getByText('http://localhost:8080/next/', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    await frame().getByRole('heading', { name: 'Welcome' }).waitFor();
  });

  it('lets nothing of it run, ask or lead away', async () => {
    await frame().getByRole('link', { name: 'Onward' }).click();
    await frame().getByRole('link', { name: 'Trap' }).click();
    await frame().getByRole('heading', { name: 'Still here' }).waitFor();
    await frame().getByRole('link', { name: 'script' }).click();
    await frame().getByText('svg').click();
    await frame().getByRole('button', { name: 'send' }).click();
    await frame().getByRole('heading', { name: 'Still here' }).waitFor();
    // what the frame's policy allows to be tried from within, as a script that got through would
    const tried = await frame()
      .locator('body')
      .evaluate(async () => {
        const fetched = await fetch('http://evil.test/x').then(
          () => 'reached',
          () => 'refused',
        );
        const stored = (() => {
          try {
            return String(window.localStorage.length);
          } catch {
            return 'refused';
          }
        })();
        const around = (() => {
          try {
            return window.parent.document.title;
          } catch {
            return 'refused';
          }
        })();
        window.location.href = 'http://evil.test/y';
        return { fetched, stored, around };
      });
    expect(tried).toEqual({ fetched: 'refused', stored: 'refused', around: 'refused' });
    expect(
      requests.filter((url) => !url.startsWith(new URL(site).origin) && !/^(?:data|blob|about):/.test(url)),
    ).toEqual([]);
    expect(requests.filter((url) => url.includes('8080') || url.includes('style.css'))).toEqual([]);
  });

  it('says in the place of the frame that the container has stopped, and shows it again when it runs', async () => {
    const port = page.getByRole('region', { name: 'Port 8080' });
    const said = port
      .getByRole('status')
      .filter({ hasText: 'The container has stopped: nothing is at port 8080' });
    await page.locator('iframe').waitFor();
    await dockerOk(page, 'stop', '-t', '0', 'web');
    await said.waitFor();
    await page.locator('iframe').waitFor({ state: 'detached' });
    expect(await port.getByRole('button', { name: 'Reload' }).isDisabled()).toBe(true);
    await dockerOk(page, 'start', 'web');
    await sh(page, 'until wget -qO- localhost:8080 >/dev/null 2>&1; do :; done');
    await said.waitFor({ state: 'detached' });
    await port.getByRole('button', { name: 'Reload' }).click();
    await frame().getByRole('heading').first().waitFor();
    await port.getByRole('button', { name: 'Close' }).click();
    await port.waitFor({ state: 'detached' });
  });

  it('asks only ports that are published', async () => {
    const ask = (port: number, path: string) =>
      page.evaluate(
        ([number, text]) =>
          window.sandbox.getThroughPort(number, text).then(
            ({ status }) => String(status),
            (error: Error) => error.message,
          ),
        [port, path] as const,
      );
    expect(await ask(8080, '/next')).toMatch(/^30[127]$/);
    expect(await ask(8080, '/nothing')).toBe('404');
    expect(await ask(8081, '/')).toBe('no container publishes the TCP port 8081 now');
    expect(await ask(8080, '/ HTTP/1.1\r\nX: y')).toContain('a path to ask a port for starts with a slash');
  });
});

describe('after a reload', () => {
  it('networks are there, and a container that is started again is on them', async () => {
    const before = await dockerOk(
      page,
      'network',
      'inspect',
      '-f',
      '{{.ID}} {{range .IPAM.Config}}{{.Subnet}}{{end}}',
      'lan',
    );
    await page.reload();
    await shows(page, prompt);
    expect(
      await dockerOk(
        page,
        'network',
        'inspect',
        '-f',
        '{{.ID}} {{range .IPAM.Config}}{{.Subnet}}{{end}}',
        'lan',
      ),
    ).toBe(before);
    expect((await docker(page, 'port', 'web')).stdout).toBe('');
    await dockerOk(page, 'start', 'web');
    const { stdout } = await sh(page, 'until wget -qO- localhost:8080/next/ 2>/dev/null; do :; done');
    expect(stdout).toContain('Arrived');
    expect(
      await dockerOk(page, 'run', '--rm', '--network', 'lan', 'busybox', 'wget', '-qO-', 'web/next/'),
    ).toContain('Arrived');
    await dockerOk(page, 'rm', '-f', 'web');
    await dockerOk(page, 'network', 'rm', 'lan');
  });
});
