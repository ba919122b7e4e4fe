/**
 * What our commands print beside what the docker client printed for the same state. The state and the stand-in API are
 * state.ts; differences that remain are told in cases.ts, each with its reason.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FakeClient } from '../unit/container/fake-client.ts';
import type { TestSandbox } from '../unit/container/sandbox.ts';
import { CASES } from './cases.ts';
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
  }[];
}

const recorded: Recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recorded/commands.json'), 'utf8'),
);

describe(`commands, as recorded from ${recorded.version}`, () => {
  let sandbox: TestSandbox;
  let ids: Readonly<Record<string, string>>;
  beforeAll(async () => {
    sandbox = await openState(recorded.now);
    ids = await idsOf(sandbox);
    // a container runs, so the machine does
  });

  it('are recorded for all cases: `tsx tests/golden/record-commands.ts` records them again', () => {
    const keys = (list: readonly { readonly argv: readonly string[]; readonly columns?: number }[]) =>
      list.map(({ argv, columns }) => [columns, ...argv]);
    expect(keys(recorded.results)).toEqual(keys(CASES));
  });

  /** The recorded text with the IDs of now, whole and cut. */
  const withIDs = (text: string) => {
    let changed = text;
    for (const [name, id] of Object.entries(recorded.ids)) {
      const own = ids[name] ?? id;
      if (id.length === 64)
        changed = changed.replaceAll(id, own).replaceAll(id.slice(0, 12), own.slice(0, 12));
    }
    return changed;
  };

  const rows = CASES.map((each, index) => {
    const { argv, columns, ours } = each;
    const typed = (ours?.argv ?? argv).join(' ');
    const title = `docker ${argv.join(' ')}${columns === undefined ? '' : ` on ${columns} columns`}`;
    return {
      title: ours === undefined ? title : `${title}, here docker ${typed}: ${ours.because}`,
      each,
      index,
    };
  });
  it.each(rows)('$title', async ({ each, index }) => {
    const { argv, columns, ours, differs = [] } = each;
    const want = recorded.results[index];
    const replaced = differs.reduce(
      (text, { pattern, by }) => text.replace(pattern, by),
      withIDs(want?.out ?? ''),
    );
    const typed = ours?.argv ?? argv;
    if (columns === undefined) {
      const { code, out, err } = await sandbox.docker(typed);
      expect({ code, out, err }).toEqual({ code: want?.code, out: replaced, err: want?.err });
      return;
    }
    const client = new FakeClient(typed, true, { rows: 24, columns });
    sandbox.machine.connect(client);
    expect(await client.exited).toBe(want?.code);
    // the terminal's driver makes the carriage returns
    expect(client.out + client.err).toBe(replaced);
  });
});
