import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { dockerOk, openSandbox, sh, shows, type } from '../support/sandbox-page.ts';

let chromium: Chromium;
let page: Page;
const site = inject('site');
const image = `${inject('registry')}/test/busybox:latest`;
const prompt = /host:~[$#]$/;

beforeAll(async () => {
  chromium = await startChromium();
  page = await openSandbox(chromium, site);
  await shows(page, prompt);
  await dockerOk(page, 'pull', image);
  await dockerOk(page, 'run', '--name', 'seen', image, 'touch', '/data/made');
});
afterAll(() => chromium.close());

const heading = (name: string | RegExp) => page.getByRole('main').getByRole('heading', { name }).first();
const hash = () => page.evaluate(() => window.location.hash);

describe('hash URLs', () => {
  it('show an image and a container, now, after Back, and after a reload', async () => {
    await page.goto(`${site}#/images/${image}`);
    await heading(/test\/busybox/).waitFor();
    await page.goto(`${site}#/containers/seen`);
    await heading('seen').waitFor();
    await page.getByRole('main').getByText('/data/made', { exact: true }).waitFor();
    await page.goBack();
    await heading(/test\/busybox/).waitFor();
    expect(await hash()).toBe(`#/images/${image}`);
    await page.reload();
    await heading(/test\/busybox/).waitFor();
    expect(await hash()).toBe(`#/images/${image}`);
    await page.goForward();
    await heading('seen').waitFor();
  });

  it('are what the lists link to', async () => {
    await page.goto(`${site}#/`);
    await page.getByRole('link', { name: /seen/ }).first().click();
    await heading('seen').waitFor();
    expect(await hash()).toBe('#/containers/seen');
  });

  it('run nothing, whatever they name', async () => {
    await shows(page, prompt);
    const before = await dockerOk(page, 'ps', '-aq');
    for (const link of [
      '#/images/busybox',
      '#/images/busybox%0Adocker%20rm%20-f%20seen%0A',
      '#/containers/seen%3Btouch%20~%2Franˋ',
      '#/containers/%3Cimg%20src=x%20onerror=%22window.ran=1%22%3E',
      '#/images/%3Cimg%20src=x%20onerror=%22window.ran=1%22%3E',
      '#/images/%E9%ZZ',
      '#/nothing',
    ]) {
      await page.goto(`${site}${link}`);
      await expect.poll(() => page.getByRole('main').textContent()).not.toBe('');
    }
    expect(await page.evaluate(() => Reflect.get(window, 'ran'))).toBeUndefined();
    expect(await page.getByRole('main').locator('img[src="x"]').count()).toBe(0);
    expect(await dockerOk(page, 'ps', '-aq')).toBe(before);
    expect((await dockerOk(page, 'images', '-q')).trimEnd().split('\n')).toHaveLength(1);
    expect(await sh(page, 'ls ~/ran*')).toMatchObject({ stdout: '' });
    await shows(page, prompt);
    await page.goto(`${site}#/`);
  });
});

describe('names that an image or a container makes up', () => {
  it('are text on the page, never HTML', async () => {
    const script = [
      "touch '/data/<img src=x onerror=window.ran=1>'",
      "touch '/data/<script>window.ran=1<' ",
      'touch "$(printf \'/data/\\033]0;owned\\007\\033[31mred\')"',
      'touch "$(printf \'/data/latin\\351\')"',
    ].join('; ');
    await dockerOk(page, 'run', '--name', 'hostile', image, 'sh', '-c', script);
    await page.goto(`${site}#/containers/hostile`);
    await page
      .getByRole('main')
      .getByText('/data/<img src=x onerror=window.ran=1>', { exact: true })
      .waitFor();
    await page
      .getByRole('main')
      .getByText(/^\/data\/latin/)
      .waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(await page.evaluate(() => Reflect.get(window, 'ran'))).toBeUndefined();
    expect(await page.title()).not.toContain('owned');
    // the terminal's own listing prints the names; what of them is an escape is made harmless
    expect(await dockerOk(page, 'diff', 'hostile')).not.toContain('\u001b');
    await dockerOk(page, 'rm', 'hostile');
    await page.goto(`${site}#/`);
  });
});

describe('what somebody else wrote', () => {
  it('is text too: labels, commands, comments, and the status of a port', async () => {
    const html = '<img src=x onerror=window.ran=1>';
    const answer = `HTTP/1.0 404 ${html}\\r\\nContent-Length: 0\\r\\n\\r\\n`;
    const serve = `while read -r line && [ "\${#line}" -gt 1 ]; do :; done; printf '${answer}'`;
    const flags = ['--name', 'serving', '-l', `${html}=${html}`, '-p', '8090:80'];
    const nc = ['busybox', 'nc', '-ll', '-p', '80', '-e', 'sh', '-c', serve];
    await dockerOk(page, 'run', '-d', ...flags, image, ...nc);
    const changes = ['-c', `CMD ["${html}"]`, '-c', `LABEL words="${html}"`, '-m', html];
    await dockerOk(page, 'commit', ...changes, 'serving', 'hostile:v1');
    await sh(page, 'until wget -qO- localhost:8090 2>&1 | grep -q 404; do :; done');
    const main = page.getByRole('main');
    await page.goto(`${site}#/containers/serving`);
    await main.getByText('0.0.0.0:8090 → 80/tcp').waitFor();
    await main.getByRole('button', { name: 'Open port 8090' }).press('Enter');
    await main
      .getByRole('status')
      .filter({ hasText: `404 ${html}` })
      .waitFor();
    await page.goto(`${site}#/images/hostile:v1`);
    await main.getByText(html, { exact: true }).first().waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(await page.evaluate(() => Reflect.get(window, 'ran'))).toBeUndefined();
    await dockerOk(page, 'rm', '-f', 'serving');
    await dockerOk(page, 'rmi', 'hostile:v1');
    await page.goto(`${site}#/`);
  });
});

describe('the terminal', () => {
  it('recalls after a reload what was typed before it', async () => {
    await shows(page, prompt);
    await page.locator('.terminal-tab:not([hidden]) .xterm-helper-textarea').focus();
    await type(page, 'echo remem""bered');
    await shows(page, /^remembered\n.*[$#]$/m);
    // bash has appended the line by its next prompt; what is fsynced survives a reload at once
    const saved = await sh(
      page,
      'dd if=/dev/null of=$HOME/.bash_history conv=notrunc,fsync 2>/dev/null; tail -n 1 ~/.bash_history',
    );
    expect(saved).toMatchObject({ stdout: 'echo remem""bered\n' });
    await page.reload();
    await shows(page, prompt);
    await page.locator('.terminal-tab:not([hidden]) .xterm-helper-textarea').focus();
    await page.keyboard.press('ArrowUp');
    await shows(page, /[$#] echo remem""bered$/);
    await page.keyboard.press('Control+C');
    await shows(page, prompt);
  });

  it('copies what is selected, and pastes lines without running them', async () => {
    await page
      .context()
      .grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(site).origin });
    await type(page, 'clear; echo copied-word');
    await shows(page, /^copied-word$/m);
    const word = await page
      .locator('.terminal-tab:not([hidden]) .xterm-rows')
      .getByText('copied-word')
      .last()
      .boundingBox();
    if (word === null) throw new Error('the word is not on the screen');
    await page.mouse.dblclick(word.x + 8, word.y + word.height / 2);
    await page.keyboard.press('Control+Shift+C');
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/^copied/);
    // as the browser's own paste does it: which keys stand for it differs by system
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData('text/plain', 'echo on""e\necho tw""o');
      document.activeElement?.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: data, bubbles: true }),
      );
    });
    const text = await shows(page, /echo tw""o$/);
    expect(text).not.toMatch(/^one$/m);
    await page.keyboard.press('Enter');
    await shows(page, /^one\ntwo$/m);
  });

  it('scrolls back over what went by, and comes down when typed into', async () => {
    await type(page, 'clear; seq 1 500');
    await shows(page, /^500$/m);
    for (let times = 0; times < 60; times++) await page.keyboard.press('Shift+PageUp');
    await shows(page, /^1\n2\n3$/m);
    await type(page, 'echo do""wn');
    await shows(page, /^down$/m);
  });

  it('closes a tab and its shell with it', async () => {
    const shells = async () => Number((await sh(page, "ps | grep -c '[b]ash'")).stdout);
    const before = await shells();
    await page.getByRole('button', { name: /new terminal/i }).click();
    await shows(page, prompt);
    expect(await page.getByRole('tab').count()).toBe(2);
    await expect.poll(shells).toBe(before + 1);
    await page.getByRole('button', { name: /^Close host 2/ }).click();
    expect(await page.getByRole('tab').count()).toBe(1);
    await expect.poll(shells).toBe(before);
    await type(page, 'clear; echo still""here');
    await shows(page, /^stillhere$/m);
  });
});

it('the page raised no error', () => {
  expect(chromium.complaints.filter((text) => !/Failed to load resource|CORS policy/.test(text))).toEqual([]);
});
