/**
 * What our commands print, and their exit codes, beside those of the docker client for the same state. The state is
 * state.ts, the stand-in API daemon-answers.ts; differences that remain are told with the cases, each with its reason.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeClient } from '../unit/container/fake-client.ts';
import type { TestSandbox } from '../unit/container/sandbox.ts';
import { CASES } from './cases.ts';
import { screenOf } from './screen.ts';
import { idsOf, openState } from './state.ts';

interface Recorded {
  readonly version: string;
  /** When it was recorded, milliseconds since 1970: the state is that of this moment. */
  readonly now: number;
  readonly ids: Readonly<Record<string, string>>;
  readonly results: readonly {
    readonly argv: readonly string[];
    readonly columns?: number;
    readonly code: number;
    readonly out: string;
    readonly err: string;
    /** Of a state of its own. */
    readonly ids?: Readonly<Record<string, string>>;
  }[];
}

const recorded: Recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recorded/commands.json'), 'utf8'),
);

/** Shows both streams as they come. */
class Terminal extends FakeClient {
  shown = '';

  override async write(stream: 'out' | 'err', bytes: Uint8Array): Promise<void> {
    await super.write(stream, bytes);
    this.shown += new TextDecoder().decode(bytes);
  }
}

describe(`commands, as recorded from ${recorded.version}`, () => {
  let sandbox: TestSandbox;
  let ids: Readonly<Record<string, string>>;
  beforeAll(async () => {
    sandbox = await openState(recorded.now);
    ids = await idsOf(sandbox);
  });
  afterAll(() => sandbox.engine.close());

  it('are recorded for all cases: `tsx tests/golden/record-commands.ts` records them again', () => {
    const keys = (list: readonly { readonly argv: readonly string[]; readonly columns?: number }[]) =>
      list.map(({ argv, columns }) => [columns, ...argv]);
    expect(keys(recorded.results)).toEqual(keys(CASES));
  });

  /** The recorded text with the IDs of now, whole and cut. */
  const withIDs = (text: string, then: typeof ids, now: typeof ids) => {
    let changed = text;
    for (const [name, id] of Object.entries(then)) {
      const own = now[name] ?? id;
      if (id.length === 64)
        changed = changed.replaceAll(id, own).replaceAll(id.slice(0, 12), own.slice(0, 12));
    }
    return changed;
  };

  const rows = CASES.map((each, index) => {
    const { argv, columns, ours } = each;
    const typed = (ours?.argv ?? argv).join(' ');
    const title = `docker ${argv.join(' ')}${columns === undefined ? '' : ` on ${columns} columns`}`;
    const answered = each.typed === undefined ? title : `${title}, answered ${JSON.stringify(each.typed)}`;
    return {
      title: ours === undefined ? answered : `${answered}, here docker ${typed}: ${ours.because}`,
      each,
      index,
    };
  });
  it.each(rows)('$title', async ({ each, index }) => {
    const { argv, columns, ours, differs = [] } = each;
    const want = recorded.results[index];
    if (want === undefined) throw new Error('it is not recorded');
    const own = each.fresh === true ? await openState(recorded.now) : sandbox;
    const ownIDs = each.fresh === true ? await idsOf(own) : ids;
    const there = (text: string) =>
      differs.reduce(
        (changed, { pattern, by }) => changed.replace(pattern, by),
        withIDs(text, want.ids ?? recorded.ids, ownIDs),
      );
    const typed = ours?.argv ?? argv;
    if (columns === undefined) {
      const { code, out, err } = await own.docker(typed);
      expect({ code, out, err }).toEqual({ code: want.code, out: there(want.out), err: there(want.err) });
    } else {
      const client = new Terminal(typed, true, { rows: 24, columns });
      own.machine.connect(client);
      if (each.typed !== undefined) client.type(each.typed);
      const code = await client.exited;
      // the terminal's driver makes the carriage returns
      const out = client.shown;
      expect({ code, out: each.screen === true ? screenOf(out) : out }).toEqual({
        code: want.code,
        out: there(want.out),
      });
    }
    if (each.fresh === true) await own.engine.close();
  });

  it.each(CASES.flatMap(({ argv, differs = [] }) => differs.map((difference) => ({ argv, ...difference }))))(
    'docker $argv is still recorded otherwise: $because',
    ({ argv, pattern }) => {
      const texts = recorded.results
        .filter((result) => result.argv.join('\0') === argv.join('\0'))
        .flatMap(({ out, err }) => [out, err]);
      expect(texts.some((text) => text.search(pattern) >= 0)).toBe(true);
    },
  );
});
