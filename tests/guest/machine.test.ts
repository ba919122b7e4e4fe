/**
 * The cases in the machine: a container's filesystem held against a real directory of Linux, wherever what a case
 * is about lies. The lowers are made by running the setup in the machine and committing it.
 */

import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryJournalStore } from '../../src/engine/store/memory-journal.ts';
import { resolvePath } from '../../src/engine/unionfs/resolve.ts';
import { type Lower, openUnion, type Union } from '../../src/engine/unionfs/union.ts';
import type { V86Machine } from '../../src/machine/v86-machine.ts';
import { HOST_ENV, run, testMachine } from '../support/machine.ts';
import { committed, wholeTreeOf } from '../unit/unionfs/committing.ts';
import { LIMITS, type Limit } from './limits.ts';
import {
  compileRunner,
  type Departure,
  departures,
  HostSuite,
  PLACES,
  type Place,
  parseTranscript,
  readCases,
  readExpected,
  type Transcript,
} from './suite.ts';

const { text, cases } = readCases();
const expected = readExpected(cases);
const journals = new MemoryJournalStore();
let machine: V86Machine;
let work = '';

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'layerbox-guest-'));
  await compileRunner(join(work, 'runner'));
  // a snapshot of another kernel than the one that lies there would be no test of it
  machine = testMachine({ useSnapshot: false });
  await machine.start();
}, 120_000);
afterAll(async () => {
  await machine.close();
  rmSync(work, { recursive: true, force: true });
});

/** A union in the machine, for a container. */
class Root {
  static #count = 0;
  readonly union: Union;
  readonly lowers: readonly Lower[];
  readonly name: string;

  private constructor(union: Union, lowers: readonly Lower[], name: string) {
    this.union = union;
    this.lowers = lowers;
    this.name = name;
    machine.exportTree(`c/${name}`, union);
  }

  static async over(lowers: readonly Lower[]): Promise<Root> {
    Root.#count += 1;
    const name = `suite${Root.#count}`;
    const journal = await journals.open(name);
    const union = await openUnion({ lowers, journal, now: () => BigInt(Date.now()) * 1_000_000n });
    return new Root(union, lowers, name);
  }

  /** Runs the runner in a new container on it. */
  async do(what: string, place: Place): Promise<string> {
    const done = await run(machine, {
      argv: ['/runner', what, '/cases', `/${place}`],
      env: HOST_ENV,
      cwd: '/',
      uid: 0,
      gid: 0,
      container: { tree: `c/${this.name}`, hostname: 'suite', cgroup: this.name },
    });
    await machine.removeCgroup(this.name);
    if (done.code !== 0)
      throw new Error(`${what} ${place} ended with ${done.code}: ${done.out.slice(-500)}${done.err}`);
    return done.out;
  }

  async leave(): Promise<void> {
    await machine.sync();
    await machine.withdrawTree(`c/${this.name}`);
  }
}

const OWNER = { uid: 0, gid: 0 };

function fill(union: Union): void {
  const file = (name: string, mode: number, bytes: Uint8Array) =>
    union.write(union.create(union.root, name, mode, OWNER), 0, bytes);
  file('runner', 0o755, readFileSync(join(work, 'runner')));
  file('cases', 0o644, Buffer.from(text));
  for (const name of [...PLACES, 'proc', 'sys', 'dev', 'tmp', 'etc']) {
    union.setattr(union.mkdir(union.root, name, 0o755, OWNER), { mode: 0o755 });
  }
}

describe('a filesystem of the machine', () => {
  const got = new Map<Place, Transcript>();
  let last: Root;

  it('takes the cases through each place', { timeout: 600_000 }, async () => {
    const bottom = await Root.over([]);
    fill(bottom.union);
    for (const place of PLACES) if (place !== 'upper') await bottom.do('setup', place);
    await bottom.leave();
    const first = await committed(bottom.union);

    const middle = await Root.over([first]);
    await middle.do('touch', 'stacked');
    await middle.leave();
    const second = await committed(middle.union);
    expect(second.index.count).toBeGreaterThan(cases.length);

    last = await Root.over([first, second]);
    await last.do('setup', 'upper');
    await last.do('touch', 'copied');
    await last.do('remake', 'remade');
    for (const place of PLACES) got.set(place, parseTranscript(await last.do('run', place), cases));
    await last.leave();
  });

  it.each(PLACES)('answers as Linux does, but for the limits: %s', (place) => {
    const limits = LIMITS.filter((limit) => limit.places?.includes(place) !== false);
    const found = departures(cases, expected, got.get(place) ?? []);
    const isKnown = (one: Departure) => limits.some((limit) => limitsIt(limit, one));
    expect(found.filter((one) => !isKnown(one))).toEqual([]);
    for (const limit of limits) {
      expect(
        found.filter((one) => limitsIt(limit, one)).length,
        `${limit.group}: ${limit.title}: is it a limit still?`,
      ).toBe(limit.lines.length);
    }
  });

  it('is the same when it is opened again, and as a layer', async () => {
    const tree = await wholeTreeOf(last.union);
    expect(tree.length).toBeGreaterThan(5 * cases.length);
    await last.union.compact();
    await last.union.close();
    const reopened = await openUnion({
      lowers: last.lowers,
      journal: await journals.open(last.name),
      now: () => 0n,
    });
    expect(reopened.damage).toBeUndefined();
    expect(await wholeTreeOf(reopened)).toEqual(tree);
    // a layer cannot have a name like ".wh.x": the runner's own
    for (const place of PLACES) {
      const { number } = cases.find(({ title }) => title.startsWith('whiteouts')) ?? { number: -1 };
      const at = resolvePath(reopened, `${place}/${String(number).padStart(4, '0')}`);
      reopened.unlink(at, '.wh.x');
    }
    const lowers = [...last.lowers, await committed(reopened)];
    const again = await openUnion({ lowers, journal: await journals.open('again'), now: () => 0n });
    expect(await wholeTreeOf(again)).toEqual(await wholeTreeOf(reopened));
  });
});

function limitsIt(limit: Limit, one: Departure): boolean {
  if (limit.group !== one.group || limit.title !== one.title) return false;
  return limit.lines.some(([line, got]) => line === one.line && got === one.got);
}

/** EXT4_SUPER_MAGIC: other filesystems count the links of directories or bound attributes otherwise. */
const isExt4 = statfsSync(tmpdir()).type === 0xef53;

describe.runIf(process.getuid?.() === 0 && isExt4)('what was recorded', () => {
  it('is what this system answers', { timeout: 120_000 }, async () => {
    const suite = await HostSuite.make();
    try {
      expect(departures(cases, expected, await suite.plain())).toEqual([]);
    } finally {
      suite.remove();
    }
  });
});
