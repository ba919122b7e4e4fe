/**
 * What a page is doing when it is killed, and what must be there when the next one opens. Each work remembers what it
 * was told from one kill to the next, since they share a profile.
 */

import type { Page } from 'playwright';
import type { StaticServer } from '../../scripts/serve.ts';
import type { Chromium } from './chromium.ts';
import type { Operation } from './crash-reports.ts';
import { type GuestKind, GuestWork } from './guest-work.ts';
import type { MadeImage } from './made-image.ts';
import { contentDigests, dockerOk } from './sandbox-page.ts';
import { type StoredState, storedState } from './stored-state.ts';

/** What this work was told before the kill, and when that was, as Date.now has it. */
export interface Before {
  readonly operations: readonly Operation[];
  readonly killedAt: number;
}

export interface CrashWork {
  /** Milliseconds, from the first operation on, within which the kill comes. */
  readonly span: number;
  /** The operations that it does, each of them again and again. */
  readonly operations: readonly string[];
  /** Opens the page as it was left, and returns what is not as it must be, in words. */
  open(chromium: Chromium, before: Before): Promise<{ page: Page; faults: string[] }>;
  /** Begins, at a place of its turns that is random; what it does then goes on until the browser dies. */
  begin(page: Page, random: (below: number) => number): Promise<void>;
}

export interface CrashPlaces {
  /** Serves tests/support/crash-page. */
  readonly library: StaticServer;
  readonly site: string;
  readonly images: ReadonlyMap<string, MadeImage>;
  /** A small image to make containers of. */
  readonly small: string;
}

export type WorkName = 'images' | 'containers' | 'upper' | GuestKind;

export function crashWorks(places: CrashPlaces): Record<WorkName, CrashWork> {
  return {
    images: new ImageWork(places),
    containers: new ContainerWork(places),
    upper: new UpperWork(places),
    write: new GuestWork(places.site, 'write'),
    fsync: new GuestWork(places.site, 'fsync'),
    rename: new GuestWork(places.site, 'rename'),
    remove: new GuestWork(places.site, 'remove'),
  };
}

/** Orphans and wrong digests, as faults. */
export function storedFaults({ wrong, orphans }: StoredState): string[] {
  return [...wrong.map((each) => `wrong: ${each}`), ...orphans.map((each) => `orphan: ${each}`)];
}

/** Starts work that never ends; should it fail, the page says so. */
const begun = (page: Page, script: string) =>
  page.evaluate(`void (${script}).catch((error) => tellKiller('failed ' + error))`);

async function openCrashPage(chromium: Chromium, { library }: CrashPlaces): Promise<Page> {
  const page = await chromium.newPage();
  await page.goto(library.url, { waitUntil: 'load' });
  return page;
}

async function openSandbox(chromium: Chromium, places: CrashPlaces): Promise<Page> {
  const page = await openCrashPage(chromium, places);
  await page.evaluate(async () => {
    window.sandbox = await window.crashPage.createSandbox({ machine: false });
  });
  return page;
}

type Presence = 'here' | 'gone' | 'either';

/** What comes and goes by name, and what must be true of each name by what was acknowledged. */
class Presences {
  readonly #presences = new Map<string, Presence>();
  readonly #means: Readonly<Record<string, Presence>>;

  constructor(means: Readonly<Record<string, Presence>>) {
    this.#means = means;
  }

  take(operations: readonly Operation[]): void {
    for (const { name, subject, ackedAt } of operations) {
      const means = this.#means[name];
      if (means !== undefined) this.#presences.set(subject, ackedAt === undefined ? 'either' : means);
    }
  }

  faults(found: ReadonlySet<string>): string[] {
    const faults: string[] = [];
    for (const [name, presence] of this.#presences) {
      if (presence === 'here' && !found.has(name)) faults.push(`${name} is gone`);
      if (presence === 'gone' && found.has(name)) faults.push(`${name} is back`);
    }
    return faults;
  }
}

const lines = (text: string) => new Set(text.split('\n').filter((line) => line !== ''));

class ImageWork implements CrashWork {
  readonly span = 2500;
  readonly operations = ['prune', 'rmi', 'pull'];
  readonly #places: CrashPlaces;
  readonly #presences = new Presences({ pull: 'here', rmi: 'gone', prune: 'gone' });

  constructor(places: CrashPlaces) {
    this.#places = places;
  }

  async open(chromium: Chromium, { operations }: Before) {
    this.#presences.take(operations);
    const page = await openSandbox(chromium, this.#places);
    const here = lines(await dockerOk(page, 'images', '--format', '{{.Repository}}'));
    const faults = [...this.#presences.faults(here), ...storedFaults(await storedState(page))];
    for (const [reference, { files }] of this.#places.images) {
      if (!here.has(reference)) continue;
      const found = await contentDigests(
        page,
        reference,
        files.map(({ path }) => path),
      );
      files.forEach(({ path, digest }, at) => {
        if (found[at] !== digest) faults.push(`${path} of ${reference} is not what was pulled`);
      });
    }
    return { page, faults };
  }

  async begin(page: Page, random: (below: number) => number) {
    const references = JSON.stringify([...this.#places.images.keys()]);
    await begun(page, `crashPage.imageWork(sandbox, ${references}, ${random(3)})`);
  }
}

class ContainerWork implements CrashWork {
  readonly span = 2000;
  readonly operations = ['rm', 'commit', 'rmi', 'create'];
  readonly #places: CrashPlaces;
  readonly #presences = new Presences({ create: 'here', rm: 'gone', commit: 'here', rmi: 'gone' });
  #next = 1;

  constructor(places: CrashPlaces) {
    this.#places = places;
  }

  async open(chromium: Chromium, { operations }: Before) {
    this.#presences.take(operations);
    for (const { name, subject } of operations) {
      if (name === 'create') this.#next = Math.max(this.#next, Number(subject.slice(1)) + 1);
    }
    const page = await openSandbox(chromium, this.#places);
    const names = await dockerOk(page, 'ps', '-a', '--format', '{{.Names}}');
    const images = await dockerOk(page, 'images', '--format', '{{.Repository}}');
    const here = lines(`${names}\n${images}`);
    return { page, faults: [...this.#presences.faults(here), ...storedFaults(await storedState(page))] };
  }

  async begin(page: Page) {
    await dockerOk(page, 'pull', '-q', this.#places.small);
    await begun(
      page,
      `crashPage.containerWork(sandbox, ${JSON.stringify(this.#places.small)}, ${this.#next})`,
    );
  }
}

/** Of each file the last generation that was acknowledged, and one that may be there as well. */
class UpperWork implements CrashWork {
  readonly span = 1500;
  readonly operations = ['compaction', 'write'];
  readonly #places: CrashPlaces;
  readonly #acked = new Map<string, number>();
  #next = 1;

  constructor(places: CrashPlaces) {
    this.#places = places;
  }

  async open(chromium: Chromium, { operations }: Before) {
    const inFlight = new Set<number>();
    for (const { name, subject, ackedAt } of operations) {
      const generation = Number(subject);
      this.#next = Math.max(this.#next, generation + 1);
      if (name !== 'write') continue;
      if (ackedAt === undefined) inFlight.add(generation);
      else this.#acked.set(`file-${generation % 12}`, generation);
    }
    const page = await openCrashPage(chromium, this.#places);
    const { damage, files } = await page.evaluate(async () => {
      const upper = await window.crashPage.openUpper();
      Object.assign(window, { upper });
      return { damage: upper.damage, files: upper.files };
    });
    const faults = damage === undefined ? [] : [`damage: ${damage}`];
    const found = new Map(files.map((file) => [file.name, file]));
    for (const [name, acked] of this.#acked) {
      const file = found.get(name);
      // of a write that was cut off a part may be there, never of an older one
      const isRight =
        file?.size === 200_000 && file.generations.every((each) => each === acked || inFlight.has(each));
      if (!isRight) faults.push(`${name} should be of ${acked}: ${JSON.stringify(file)}`);
      for (const each of file?.generations ?? []) if (each > acked) this.#acked.set(name, each);
    }
    return { page, faults };
  }

  async begin(page: Page) {
    await begun(page, `upper.work(${this.#next})`);
  }
}
