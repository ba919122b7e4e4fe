/** What `docker cp` shows while it copies, as docker 28.2.2 does on a terminal. */

import { describe, expect, it } from 'vitest';
import { CopyProgress } from '../../../src/engine/cli/copy-progress.ts';
import { counted } from '../../../src/engine/container/long-name-tar.ts';
import type { Piece } from '../../../src/engine/unionfs/pieces.ts';
import { tarOfPieces } from '../../../src/engine/unionfs/tar-of-pieces.ts';
import { FakeClient } from '../container/fake-client.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { openWithBusybox } from '../container/sandbox.ts';

const BEGIN = '\x1b[sPreparing to copy...\x1b[?25l\x1b[u\x1b[2K';
const END = '\x1b[?25h\x1b[u\x1b[2K';

describe('the line', () => {
  it('has a new size when the last was there for 75 milliseconds, and goes', async () => {
    let text = '';
    let now = 1000;
    const progress = new CopyProgress('to', {
      write: async (more) => {
        text += more;
      },
      now: () => now,
    });
    const fresh = () => {
      const told = text;
      text = '';
      return told;
    };
    await progress.begin();
    expect(fresh()).toBe(`${BEGIN}Copying to container - 0B`);
    const rows: readonly (readonly [number, number, string])[] = [
      [1074, 512, ''],
      [1075, 2048, '\x1b[24G\x1b[0K2.05kB'],
      [1149, 4096, ''],
      [1300, 2048, ''],
      [1300, 3_000_000, '\x1b[24G\x1b[0K3MB'],
    ];
    for (const [at, bytes, shown] of rows) {
      now = at;
      await progress.update(bytes);
      expect(fresh(), `${bytes} at ${at}`).toBe(shown);
    }
    await progress.end();
    expect(fresh()).toBe(END);
  });
});

describe('what is counted', () => {
  const entry = (path: string, more: object) => ({
    entry: { path, mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, type: 'file' as const, ...more },
  });
  const pieces: readonly Piece[] = [
    entry('d/', { type: 'dir' }),
    entry('a', { size: 700 }),
    { at: 0, bytes: new Uint8Array(300) },
    { at: 300, bytes: new Uint8Array(400) },
    // a hole at its end
    entry('b', { size: 5000 }),
    { at: 0, bytes: new Uint8Array(1) },
    entry('c', { type: 'hardlink', link: 'a', size: 0 }),
  ];
  async function* passing() {
    yield* pieces;
  }

  it('is the tar, told of each part as it passes', async () => {
    let bytes = 0;
    for await (const chunk of tarOfPieces(passing())) bytes += chunk.length;
    const told: number[] = [];
    for await (const _ of counted(passing(), async (more) => void told.push(more)));
    expect(told.reduce((sum, more) => sum + more, 0)).toBe(bytes);
    expect(told.slice(0, 4)).toEqual([512, 512, 300, 400]);
  });
});

describe('docker cp', () => {
  const programs: Record<string, ProgramCode> = {
    /** Every path of the host is a folder, in which anything can be written. */
    '/bin/busybox': async ({ spec, out, read }) => {
      if (spec.argv[1] === 'stat') await out('41ed\n');
      else while ((await read()) !== undefined);
      return 0;
    },
  };
  const copied = (size: string) => `Successfully copied ${size} to /root/.\n`;
  const rows: readonly (readonly [string, boolean, string])[] = [
    ['cp web:/etc/group .', true, `${BEGIN}Copying from container - 0B${END}${copied('2.05kB')}`],
    ['cp -q web:/etc/group .', true, ''],
    ['cp web:/etc/group .', false, ''],
    ['cp -q=false web:/etc/group .', false, copied('2.05kB')],
  ];
  it.each(rows)('%s, on a terminal: %s', async (line, isTerminal, err) => {
    const { docker, machine } = await openWithBusybox({ programs });
    await docker('create --name web busybox');
    const client = new FakeClient(line, isTerminal);
    machine.connect(client);
    expect({ code: await client.exited, out: client.out, err: client.err }).toEqual({
      code: 0,
      out: '',
      err,
    });
  });

  it('that fails leaves no line on the terminal', async () => {
    const failing = {
      '/bin/busybox': (async ({ spec, out, err, read }) => {
        if (spec.argv[1] === 'stat') {
          await out('41ed\n');
          return 0;
        }
        while ((await read()) !== undefined);
        await err('tar: write error: No space left on device\n');
        return 1;
      }) satisfies ProgramCode,
    };
    const { docker, machine } = await openWithBusybox({ programs: failing });
    await docker('create --name web busybox');
    const client = new FakeClient('cp web:/etc/group .', true);
    machine.connect(client);
    expect(await client.exited).toBe(1);
    const [shown, told, ...more] = client.err.split(END);
    expect([shown, more]).toEqual([`${BEGIN}Copying from container - 0B`, []]);
    expect(told).toMatch(/^\S.*No space left on device\n$/);
  });
});
