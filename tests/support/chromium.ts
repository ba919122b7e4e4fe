/** Headless Chromium as a process of our own, so that it can be killed without warning and started again on its profile. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { findProgram } from '../../scripts/system.ts';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--remote-debugging-port=0',
];

export interface Chromium {
  readonly profile: string;
  readonly browser: Browser;
  /** A new page in the profile's own storage. Errors of the page are collected in `complaints`. */
  newPage(): Promise<Page>;
  readonly complaints: string[];
  /** SIGKILL to all of its processes: what was not durable is lost. */
  kill(): Promise<void>;
  /** Ends it in good order and, unless told otherwise, removes the profile. */
  close(options?: { keepProfile?: boolean }): Promise<void>;
  readonly process: ChildProcess;
}

/** Starts Chromium on a new profile, or on one that an earlier one left. */
export async function startChromium(
  options: { profile?: string; viewport?: { width: number; height: number } } = {},
): Promise<Chromium> {
  const program = process.env.LAYERBOX_CHROMIUM ?? findProgram('chromium');
  if (program === undefined) throw new Error('chromium is not installed');
  const profile = options.profile ?? (await mkdtemp(join(tmpdir(), 'layerbox-chromium-')));
  const { width, height } = options.viewport ?? { width: 1280, height: 800 };
  const child = spawn(
    program,
    [...FLAGS, `--user-data-dir=${profile}`, `--window-size=${width},${height}`, 'about:blank'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const browser = await chromium.connectOverCDP(await debuggingAddress(child));
  const complaints: string[] = [];
  const end = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, signal);
    return exited;
  };
  return {
    profile,
    browser,
    complaints,
    process: child,
    newPage: async () => {
      const context = browser.contexts()[0];
      if (context === undefined) throw new Error('no browser context');
      const page = await context.newPage();
      await page.setViewportSize({ width, height });
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      return page;
    },
    kill: () => end('SIGKILL'),
    close: async ({ keepProfile = false } = {}) => {
      await browser.close();
      await end('SIGTERM');
      if (!keepProfile) await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

function debuggingAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      text = (text + piece).slice(-10_000);
      const found = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`chromium ended with ${code}: ${text}`)));
  });
}
