/** What the machine does while nobody uses it, and that it never is in anybody's way. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PIECES, Rehearsal } from '../../../src/machine/rehearsal.ts';
import { hostSpec, run, testMachine } from '../../support/machine.ts';

/** Longer than a rehearsal waits for anything. */
const LONG = 2_000;

describe('a rehearsal', () => {
  let instructions: number;
  let done: string[];
  let started: string[];
  /** What ends the piece under way. */
  let finish: (error?: Error) => void;
  let ends: unknown[];
  let rehearsal: Rehearsal;

  beforeEach(() => {
    vi.useFakeTimers();
    instructions = 0xffff_ff00;
    done = [];
    started = [];
    ends = [];
    rehearsal = new Rehearsal({
      pieces: ['one', 'two'],
      instructions: () => instructions,
      perform: (piece, signal) =>
        new Promise<void>((resolve, reject) => {
          started.push(piece);
          signal.addEventListener('abort', () => resolve());
          finish = (error) => {
            if (error !== undefined) return reject(error);
            done.push(piece);
            resolve();
          };
        }),
      onEnd: (error) => ends.push(error),
    });
  });

  afterEach(() => {
    rehearsal.stop();
    vi.useRealTimers();
  });

  it('runs its pieces one after the other once the machine is at rest, and ends', async () => {
    await vi.advanceTimersByTimeAsync(LONG);
    expect(started).toEqual(['one']);
    finish();
    await vi.advanceTimersByTimeAsync(LONG);
    expect(started).toEqual(['one', 'two']);
    finish();
    await vi.advanceTimersByTimeAsync(LONG);
    expect({ done, ends }).toEqual({ done: ['one', 'two'], ends: [undefined] });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits while somebody uses the machine', async () => {
    for (let i = 0; i < 20; i++) {
      await vi.advanceTimersByTimeAsync(200);
      rehearsal.touch();
    }
    expect(started).toEqual([]);
    await vi.advanceTimersByTimeAsync(LONG);
    expect(started).toEqual(['one']);
  });

  it('waits while the guest is at work, also when its count begins again', async () => {
    for (let i = 0; i < 20; i++) {
      await vi.advanceTimersByTimeAsync(200);
      instructions = (instructions + 5_000_000) >>> 0;
    }
    expect(started).toEqual([]);
    await vi.advanceTimersByTimeAsync(LONG);
    expect(started).toEqual(['one']);
  });

  it('gives up a piece for who comes, and begins it again when it is quiet', async () => {
    await vi.advanceTimersByTimeAsync(LONG);
    rehearsal.touch();
    await vi.advanceTimersByTimeAsync(200);
    expect(started).toEqual(['one']);
    await vi.advanceTimersByTimeAsync(LONG);
    expect({ started, done }).toEqual({ started: ['one', 'one'], done: [] });
  });

  it('ends with the error of a piece', async () => {
    await vi.advanceTimersByTimeAsync(LONG);
    const error = new Error('no shell');
    finish(error);
    await vi.advanceTimersByTimeAsync(LONG);
    expect({ started, ends }).toEqual({ started: ['one'], ends: [error] });
  });

  it('says nothing more once it was stopped', async () => {
    await vi.advanceTimersByTimeAsync(LONG);
    rehearsal.stop();
    await vi.advanceTimersByTimeAsync(LONG);
    expect({ started, ends, timers: vi.getTimerCount() }).toEqual({ started: ['one'], ends: [], timers: 0 });
  });
});

describe('a machine that rehearses', () => {
  it('runs every piece, leaves nothing behind, and serves who comes meanwhile', async () => {
    const reports: unknown[] = [];
    const machine = testMachine({
      useSnapshot: false,
      rehearse: true,
      report: (error) => reports.push(error),
    });
    await machine.start();
    const withdraw = vi.spyOn(machine, 'withdrawTree');
    await vi.waitUntil(() => machine.open.channels > 0, { timeout: 30_000 });
    expect(await run(machine, hostSpec('echo here'))).toEqual({ code: 0, out: 'here\n', err: '' });
    await vi.waitUntil(() => withdraw.mock.calls.length > 0, { timeout: 60_000 });
    const after = await run(machine, hostSpec('ls -A /run/layerbox/export/c'));
    expect(after).toEqual({ code: 0, out: '', err: '' });
    expect({ reports, channels: machine.open.channels }).toEqual({ reports: [], channels: 0 });
    await machine.close();
  }, 180_000);

  it('walks its whole tree', async () => {
    const machine = testMachine({ useSnapshot: false });
    const { rehearsalTree } = await import('../../../src/machine/rehearsal.ts');
    machine.exportTree('c/tree', await rehearsalTree());
    await machine.start();
    for (const piece of PIECES) {
      const { code, out, err } = await run(machine, hostSpec(piece, { cwd: '/run/layerbox/export/c/tree' }));
      expect({ code, out: out.trim(), err }).toEqual({
        code: 0,
        out: piece.startsWith('for') ? '' : '400',
        err: '',
      });
    }
    await machine.close();
  }, 180_000);
});
