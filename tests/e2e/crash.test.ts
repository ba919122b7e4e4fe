/**
 * The browser is killed at random moments, again and again on one profile: what was acknowledged is there, all that is
 * stored is what its digest says, and nothing half-done is left once the sandbox was opened again.
 *
 *     LAYERBOX_CRASHES=200 npm test -- --project e2e tests/e2e/crash.test.ts
 *     LAYERBOX_CRASH_SEED=7 ...       the same moments again, as far as the computer lets them be the same
 */

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { StaticServer } from '../../scripts/serve.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { CrashReports } from '../support/crash-reports.ts';
import { type Before, crashWorks, type WorkName } from '../support/crash-works.ts';
import { serveLibraryPage } from '../support/library-page.ts';
import { type MadeImage, pushMade, randomly } from '../support/made-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

const WORKS: readonly WorkName[] = ['images', 'upper', 'containers', 'fsync', 'rename', 'remove', 'write'];
const kills = Number(
  process.env.LAYERBOX_CRASHES ?? (process.env.LAYERBOX_LONG === '1' ? 150 : WORKS.length),
);
const seed = Number(process.env.LAYERBOX_CRASH_SEED ?? Date.now() % 1_000_000);
/** Then a new profile, so that what is found is not of one history alone. */
const KILLS_PER_PROFILE = 28;
/** Kills in a row of one work: opening another page for each would take longer than what it does. */
const KILLS_IN_A_ROW = kills > WORKS.length ? 4 : 1;

let library: StaticServer;
let registry: Registry;
const images = new Map<string, MadeImage>();

beforeAll(async () => {
  library = await serveLibraryPage('crash-page');
  registry = await startRegistry();
  // layers of more than a chunk, and two images that share some
  for (const [name, made, sizes] of [
    ['one', 1, [300_000, 9_000_000, 20_000]],
    ['two', 1, [300_000]],
    ['three', 3, [2_000_000, 1000]],
  ] as const) {
    images.set(`${registry.host}/crash/${name}`, await pushMade(registry, `crash/${name}`, made, sizes));
  }
});
afterAll(async () => {
  await Promise.all([library.close(), registry.close()]);
});

/** Operations that a run of many kills must have hit, each of them. */
const OPERATIONS = [
  ...['pull', 'rmi', 'prune', 'create', 'commit', 'rm'],
  ...['write', 'compaction', 'fsync', 'rename', 'remove'],
];
const MANY_KILLS = 100;
/** Milliseconds after which an operation that has not begun again never will. */
const NEVER = 60_000;
/** Milliseconds after the beginning of an operation within which the kill comes that is meant for it. */
const AIMED_SPAN = 10;

const nothing: Before = { operations: [], killedAt: 0 };

/** Kills of each work that were meant for one of its operations. */
const aimed = new Map<WorkName, number>();

/** Of each kill what was in flight: begun, and not acknowledged as far as anybody had heard. */
const inFlight: string[][] = [];

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One profile: opened, looked at, set to work and killed, in turn; and opened and looked at once more at the end. */
async function killAgainAndAgain(names: readonly WorkName[], random: (below: number) => number) {
  const works = crashWorks({
    library,
    site: inject('site'),
    images,
    small: `${inject('registry')}/test/busybox`,
  });
  let profile: string | undefined;
  let last: { readonly name: WorkName; readonly before: Before } | undefined;
  for (const name of [...names, undefined]) {
    const chromium: Chromium = await startChromium(profile === undefined ? {} : { profile });
    profile = chromium.profile;
    try {
      let opened = last && (await works[last.name].open(chromium, last.before));
      const told = `after kill ${inFlight.length}, of ${last?.name}, in flight: ${inFlight.at(-1)}`;
      expect(opened?.faults ?? [], told).toEqual([]);
      if (name !== undefined) {
        if (opened === undefined || last?.name !== name) {
          await opened?.page.close();
          opened = await works[name].open(chromium, nothing);
          expect(opened.faults, told).toEqual([]);
        }
        const reports = await CrashReports.of(opened.page);
        const { operations: kinds, span } = works[name];
        const begins = reports.begins();
        begins.catch(() => undefined); // `operations` says it as well
        await works[name].begin(opened.page, random);
        await begins;
        await wait(random(span));
        // half of the kills are meant for one operation, each in turn: by chance alone a short one is hardly ever hit
        if (random(2) === 0) {
          const turn = aimed.get(name) ?? 0;
          aimed.set(name, turn + 1);
          const kind = kinds[turn % kinds.length];
          const isNever = wait(NEVER).then(() => expect.fail(`no ${kind} began`));
          await Promise.race([reports.begins(kind), isNever]);
          await wait(random(AIMED_SPAN));
        }
        expect(chromium.complaints, told).toEqual([]);
        const killedAt = Date.now();
        await chromium.kill();
        const { operations } = reports;
        last = { name, before: { operations, killedAt } };
        const flying = operations.filter(({ ackedAt }) => ackedAt === undefined);
        inFlight.push(flying.map((operation) => operation.name));
      }
      expect(chromium.complaints, told).toEqual([]);
    } finally {
      if (chromium.process.exitCode === null && chromium.process.signalCode === null) await chromium.kill();
    }
  }
  if (profile !== undefined) {
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

it(
  `${kills} kills lose nothing that was acknowledged and leave nothing half-done`,
  async () => {
    const random = randomly(seed);
    console.log(`LAYERBOX_CRASH_SEED=${seed}`);
    const names = Array.from(
      { length: kills },
      // which ones come first is the seed's, so that a few kills are of others each time
      (_, kill) => WORKS[(seed + Math.floor(kill / KILLS_IN_A_ROW)) % WORKS.length] ?? 'upper',
    );
    for (let from = 0; from < kills; from += KILLS_PER_PROFILE) {
      await killAgainAndAgain(names.slice(from, from + KILLS_PER_PROFILE), random);
    }
    const hits = inFlight.filter((names) => names.length > 0).length;
    const counts = new Map<string, number>();
    for (const name of inFlight.flat()) counts.set(name, (counts.get(name) ?? 0) + 1);
    const each = [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
    console.log(`${kills} kills, ${hits} of them with an operation in flight: ${each}`);
    expect(inFlight.length).toBe(kills);
    expect(hits).toBeGreaterThanOrEqual(kills / 3);
    if (kills >= MANY_KILLS) expect(OPERATIONS.filter((name) => !counts.has(name))).toEqual([]);
  },
  60_000 + kills * 30_000,
);
