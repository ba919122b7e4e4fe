/** The page as a test uses it: through `window.sandbox`, and through the terminal as a person does. */

import type { Page } from 'playwright';
import type { CommandResult } from '../../src/rpc/sandbox.ts';
import type { Chromium } from './chromium.ts';
import type { ListedFile } from './real-tree.ts';

/** Opens the site in a new page of this browser and waits for `window.sandbox`. */
export async function openSandbox(chromium: Chromium, site: string, hash = ''): Promise<Page> {
  const page = await chromium.newPage();
  await page.goto(`${site}${hash}`, { waitUntil: 'load' });
  return page;
}

export const docker = (page: Page, ...argv: string[]): Promise<CommandResult> =>
  page.evaluate((words) => window.sandbox.docker(words), argv);

/** A command that has to succeed: its standard output. */
export async function dockerOk(page: Page, ...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await docker(page, ...argv);
  if (exitCode !== 0) throw new Error(`docker ${argv.join(' ')} ended with ${exitCode}: ${stderr}${stdout}`);
  return stdout;
}

export const sh = (page: Page, line: string): Promise<CommandResult> =>
  page.evaluate((text) => window.sandbox.sh(text), line);

/** The walked union of an image or container, in the form of real-tree.ts, with the digest of each file's content. */
export function listUnion(page: Page, reference: string): Promise<ListedFile[]> {
  return page.evaluate(async (name) => {
    const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    // the same names as nameOf gives: lone surrogates DC80..DCFF stand for bytes that are not UTF-8
    const nameOf = (path: string) => {
      if (path.isWellFormed()) return path;
      const bytes: number[] = [];
      for (const character of path) {
        const code = character.codePointAt(0) ?? 0;
        if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
        else bytes.push(...new TextEncoder().encode(character));
      }
      return `bytes:${hex(Uint8Array.from(bytes))}`;
    };
    const view = window.sandbox.files(name);
    const entries = [];
    for await (const entry of view.walk()) entries.push(entry);
    const contents = new Map<string, string>();
    // several at a time: one after the other, most of the time is the way to the worker and back
    const files = entries.filter(({ type }) => type === 'file').values();
    const readRest = async () => {
      for (const { path } of files) {
        const bytes = new Uint8Array(await view.read(path));
        contents.set(path, hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))));
      }
    };
    await Promise.all(Array.from({ length: 16 }, readRest));
    return entries.map((entry) => {
      const content = contents.get(entry.path);
      return {
        path: nameOf(entry.path),
        type: entry.type,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        size: entry.type === 'file' ? entry.size : 0,
        mtimeNs: String(entry.mtimeNs),
        nlink: entry.type === 'dir' ? 0 : entry.nlink,
        ...(entry.link === undefined ? {} : { link: entry.link }),
        ...(entry.rdev === undefined ? {} : { rdev: entry.rdev.join(',') }),
        ...(content === undefined ? {} : { content }),
      };
    });
  }, reference);
}

/** The SHA-256 of the content of each of these files of an image or container, in hex. */
export const contentDigests = (page: Page, reference: string, paths: readonly string[]): Promise<string[]> =>
  page.evaluate(
    async ([name, files]) => {
      const view = window.sandbox.files(name);
      const digests = [];
      for (const path of files) {
        const bytes = new Uint8Array(await view.read(path));
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
        digests.push([...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
      }
      return digests;
    },
    [reference, paths] as const,
  );

/** What the active terminal shows: its rows, right-trimmed, joined by newlines. */
export const screen = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const rows = [...document.querySelectorAll('.terminal-tab:not([hidden]) .xterm-rows > div')];
    return rows
      .map((row) => (row.textContent ?? '').replace(/\u00a0/g, ' ').trimEnd())
      .join('\n')
      .trimEnd();
  });

/** Waits until the active terminal shows the text, and returns all that it shows. */
export async function shows(page: Page, wanted: RegExp, milliseconds = 60_000): Promise<string> {
  const until = Date.now() + milliseconds;
  for (;;) {
    const text = await screen(page);
    if (wanted.test(text)) return text;
    if (Date.now() > until) throw new Error(`the terminal never showed ${wanted}:\n${text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Types a line into the focused terminal as keys, Enter at its end. */
export async function type(page: Page, line: string): Promise<void> {
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

/**
 * How many rows each object store has in the page's databases, the sandbox's and the journals', as `database/store`,
 * and how many files each folder of its private file system; the reserve, which has no content, apart from them.
 */
export const storedRows = (page: Page): Promise<Record<string, number>> =>
  page.evaluate(async () => {
    const finished = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const counts: Record<string, number> = {};
    for (const { name } of await indexedDB.databases()) {
      const database = await finished(indexedDB.open(name ?? ''));
      for (const store of database.objectStoreNames) {
        counts[`${name}/${store}`] = await finished(database.transaction(store).objectStore(store).count());
      }
      database.close();
    }
    const count = async (path: string, folder: FileSystemDirectoryHandle): Promise<void> => {
      for await (const entry of folder.values()) {
        const at = entry.name.startsWith('reserve-') ? 'reserve' : path;
        if (entry instanceof FileSystemDirectoryHandle) await count(`${path}/${entry.name}`, entry);
        else counts[at] = (counts[at] ?? 0) + 1;
      }
    };
    await count('files', await navigator.storage.getDirectory());
    return counts;
  });

/**
 * All that the page's browser keeps for its origin, as text: each record of each database, small Blobs among them,
 * localStorage, sessionStorage and cookies. To look for what must not be there.
 */
export const storedText = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const finished = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const latin1 = new TextDecoder('latin1');
    const texts: string[] = [document.cookie];
    const tell = async (value: unknown): Promise<void> => {
      if (value instanceof Blob) {
        if (value.size < 100_000) texts.push(latin1.decode(await value.arrayBuffer()));
      } else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) texts.push(latin1.decode(value));
      else if (typeof value === 'object' && value !== null) {
        for (const [name, part] of value instanceof Map ? value : Object.entries(value)) {
          await tell(name);
          await tell(part);
        }
      } else texts.push(String(value));
    };
    for (const storage of [localStorage, sessionStorage]) await tell({ ...storage });
    for (const { name } of await indexedDB.databases()) {
      const database = await finished(indexedDB.open(name ?? ''));
      for (const store of database.objectStoreNames) {
        const rows = database.transaction(store).objectStore(store);
        const [keys, values] = await Promise.all([finished(rows.getAllKeys()), finished(rows.getAll())]);
        await tell([...keys, ...values]);
      }
      database.close();
    }
    return texts.join('\n');
  });
