/**
 * `docker inspect`, field by field. The client reads our document into its own types and writes them again: what it has and
 * we have not comes out as zero, what we have and it has not goes, what is of another type it refuses. The differences
 * that remain are in inspected.ts, each with its reason.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestSandbox } from '../unit/container/sandbox.ts';
import { DIFFERENCES, INSPECTED } from './inspected.ts';
import { idsOf, openState } from './state.ts';

interface Recorded {
  readonly version: string;
  readonly now: number;
  readonly ids: Readonly<Record<string, string>>;
  readonly documents: Readonly<Record<string, unknown>>;
}

const recorded: Recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recorded/inspect.json'), 'utf8'),
);

/** The paths of the fields whose values are not the same, each with both values. */
function differences(theirs: unknown, ours: unknown, path = ''): readonly string[] {
  const a = fieldsOf(theirs);
  const b = fieldsOf(ours);
  if (a === undefined || b === undefined) {
    const [x, y] = [JSON.stringify(theirs), JSON.stringify(ours)];
    return x === y ? [] : [path];
  }
  const names = [...new Set([...a.keys(), ...b.keys()])];
  return names.flatMap((name) =>
    differences(a.get(name), b.get(name), path === '' ? name : `${path}.${name}`),
  );
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}

describe(`documents, as recorded from ${recorded.version}`, () => {
  let sandbox: TestSandbox;
  let found: ReadonlyMap<string, readonly string[]>;
  beforeAll(async () => {
    sandbox = await openState(recorded.now);
    const ids = await idsOf(sandbox);
    let text = JSON.stringify(recorded.documents);
    for (const [name, id] of Object.entries(recorded.ids)) {
      const own = ids[name] ?? id;
      text = text.replaceAll(id, own).replaceAll(id.slice(0, 12), own.slice(0, 12));
    }
    const theirs: Readonly<Record<string, unknown>> = JSON.parse(text);
    found = new Map(
      await Promise.all(
        INSPECTED.map(async (line) => {
          const [document] = JSON.parse((await sandbox.docker(line)).out);
          return [line, differences(theirs[line], document)] as const;
        }),
      ),
    );
  });
  afterAll(() => sandbox.engine.close());

  it('are recorded for all: `tsx tests/golden/record-inspect.ts` records them again', () => {
    expect(Object.keys(recorded.documents)).toEqual(INSPECTED);
  });

  it.each(INSPECTED)('docker %s has the fields of the client, each with its value', (line) => {
    expect((found.get(line) ?? []).filter((path) => !(path in DIFFERENCES))).toEqual([]);
  });

  it('differ where it is said, and nowhere else', () => {
    const all = new Set([...found.values()].flat());
    expect([...all].sort()).toEqual(Object.keys(DIFFERENCES).sort());
  });
});
