/** An upper on the page itself, without a machine: so it is known to the instant what is done to its journal. */

import { openUnion, type Union } from '../../../src/engine/unionfs/union.ts';
import { LightningJournalStore } from '../../../src/storage/lightning-journal.ts';
import { acquireSandbox } from '../../../src/storage/ownership.ts';
import { reported } from './reported.ts';

const SANDBOX = 'upper';
const FILES = 12;
const FILE_LENGTH = 200_000;
const OWNER = { uid: 0, gid: 0 };

export interface FoundFile {
  readonly name: string;
  readonly size: number;
  /** The generations whose bytes are in it: one, but where a write was cut off. */
  readonly generations: readonly number[];
}

export interface OpenedUpper {
  /** What was lost when the journal was opened; undefined when nothing was. */
  readonly damage: string | undefined;
  readonly files: readonly FoundFile[];
  /** Bytes of the segments, and of what the files hold. */
  readonly stored: number;
  /** Writes generations of the files and compacts between them until the page dies. */
  work(from: number): Promise<never>;
}

/** Opens it as the last page left it. */
export async function openUpper(): Promise<OpenedUpper> {
  await acquireSandbox(SANDBOX, { patience: 20_000 });
  const journals = await LightningJournalStore.open(SANDBOX);
  const union = await openUnion({
    lowers: [],
    journal: await journals.open('volume/crash'),
    now: () => BigInt(Date.now()) * 1_000_000n,
    limits: { segmentBytes: 256 * 1024 },
  });
  const files = await readFiles(union);
  return { damage: union.damage, files, stored: union.storedBytes(), work: (from) => work(union, from) };
}

async function readFiles(union: Union): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const { name, ino } of union.readdir(union.root)) {
    const { size } = union.stat(ino);
    const bytes = await union.read(ino, 0, size);
    found.push({ name, size, generations: [...new Set(new Uint32Array(bytes.slice().buffer))] });
  }
  return found;
}

/** A file is one number over and over: the generation that wrote it. */
async function work(union: Union, from: number): Promise<never> {
  for (let generation = from; ; generation += 1) {
    const bytes = new Uint8Array(new Uint32Array(FILE_LENGTH / 4).fill(generation).buffer);
    const name = `file-${generation % FILES}`;
    await reported('write', `${generation}`, async () => {
      const present = union.readdir(union.root).find((entry) => entry.name === name);
      const ino = present?.ino ?? union.create(union.root, name, 0o644, OWNER);
      for (let at = 0; at < bytes.length; at += 50_000) union.write(ino, at, bytes.slice(at, at + 50_000));
      await union.flush();
    });
    if (generation % 3 === 0) await reported('compaction', `${generation}`, () => union.compact());
  }
}
