/** Snapshots, and what happens when one does not fit; and machines that die. */

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { MachineFailedError, MachineUnavailableError } from '../../../src/engine/errors.ts';
import { gunzip, type MachineFiles, sha256 } from '../../../src/machine/assets.ts';
import { parseSnapshotRecord, type SnapshotRecord, snapshotKey } from '../../../src/machine/snapshot.ts';
import type { MachineOptions, V86Machine } from '../../../src/machine/v86-machine.ts';
import { V86_VERSION } from '../../../src/machine/v86-module.ts';
import { emptyTree, hostSpec, projectFiles, run, testMachine } from '../../support/machine.ts';

const MEMORY = 64;
let state: Uint8Array<ArrayBuffer>;
let record: SnapshotRecord;
const machines: V86Machine[] = [];

async function file(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await projectFiles(name);
  if (bytes === undefined) throw new Error(`${name} is missing`);
  return bytes;
}

beforeAll(async () => {
  const machine = testMachine({ memoryMB: MEMORY });
  await machine.bootBare();
  expect((await run(machine, hostSpec('echo warm'))).out).toBe('warm\n');
  const saved = await machine.suspend();
  await machine.close();
  state = new Uint8Array(gzipSync(new Uint8Array(saved), { level: 1 }));
  const inputs = {
    vmlinux: await sha256(await gunzip(await file('vmlinux.gz'))),
    wasm: await sha256(await file('v86.wasm')),
    memoryMB: MEMORY,
  };
  const key = await snapshotKey(inputs);
  record = {
    ...inputs,
    key,
    state: `state-${key.slice(0, 12)}.bin.gz`,
    compressedSize: state.length,
    size: saved.byteLength,
    v86: V86_VERSION,
  };
}, 120_000);

afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.close();
});

interface Changes {
  readonly record?: Partial<SnapshotRecord> | string;
  readonly state?: Uint8Array<ArrayBuffer> | undefined;
  readonly options?: Partial<MachineOptions>;
}

/** A started machine over the project's kernel and a snapshot that was changed. */
async function start(changes: Changes = {}) {
  const read: string[] = [];
  const reported: unknown[] = [];
  const json =
    typeof changes.record === 'string' ? changes.record : JSON.stringify({ ...record, ...changes.record });
  const files: MachineFiles = async (name) => {
    read.push(name);
    if (name === 'machine.json') return new TextEncoder().encode(json);
    if (name.startsWith('state-')) return 'state' in changes ? changes.state : state;
    return projectFiles(name);
  };
  const options = { files, memoryMB: MEMORY, report: (error: unknown) => reported.push(error) };
  const machine = testMachine({ ...options, ...changes.options });
  machines.push(machine);
  machine.exportTree('host', await emptyTree());
  await machine.start();
  return { machine, read, reported };
}

describe('a snapshot that fits', () => {
  it('is restored: programs run, the home is there, the clock is right', async () => {
    const { machine } = await start();
    expect(machine.state).toEqual({ status: 'running', how: 'restore' });
    const done = await run(machine, hostSpec('date +%s; cd; pwd; echo x >f; ls /root'));
    const [seconds, ...rest] = done.out.trim().split('\n');
    expect(rest).toEqual(['/root', 'f']);
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(5);
  });

  it('needs no kernel when the build has told its key', async () => {
    const { machine, read } = await start({ options: { snapshotKey: record.key } });
    expect(machine.state).toMatchObject({ how: 'restore' });
    expect(read).not.toContain('vmlinux.gz');
  });

  it('may come unpacked already', async () => {
    const { machine } = await start({ state: await gunzip(state) });
    expect(machine.state).toMatchObject({ how: 'restore' });
  });

  it('is left alone when it is not wanted', async () => {
    const { machine } = await start({ options: { useSnapshot: false } });
    expect(machine.state).toMatchObject({ how: 'boot' });
  });
});

describe('a snapshot that does not fit is not used, and the machine boots', () => {
  it.each<[string, () => Changes]>([
    ['another key', () => ({ record: { key: 'f'.repeat(64) } })],
    ['another emulator', () => ({ record: { wasm: 'f'.repeat(64) } })],
    ['another memory size', () => ({ record: { memoryMB: 128 } })],
    ['another key than the build has told', () => ({ options: { snapshotKey: 'f'.repeat(64) } })],
    ['a page of HTML instead of the record', () => ({ record: '<!doctype html>' })],
    ['no state', () => ({ state: undefined })],
    ['half a state', () => ({ record: { size: record.size + 4 } })],
  ])('%s', async (_, changes) => {
    const { machine, reported } = await start(changes());
    expect(machine.state).toEqual({ status: 'running', how: 'boot' });
    expect(reported).toEqual([]);
    expect((await run(machine, hostSpec('echo runs'))).out).toBe('runs\n');
  });

  it('a state of garbage, which is reported', async () => {
    const { machine, reported } = await start({ state: new Uint8Array(record.size).fill(0x55) });
    expect(machine.state).toMatchObject({ how: 'boot' });
    expect(reported.length).toBe(1);
  });
});

describe('the record', () => {
  const parse = (value: unknown) => parseSnapshotRecord(new TextEncoder().encode(JSON.stringify(value)));

  it('is read when it is whole', () => {
    expect(parse(record)).toEqual(record);
  });

  it.each<[string, unknown]>([
    ['no object', null],
    ['a field missing', { ...{ key: '' } }],
    ['a number for a text', { key: 1 }],
    ['a state elsewhere', { state: '../../secret' }],
    ['a state at another site', { state: 'https://example.org/state-0123456789ab.bin.gz' }],
  ])('is refused with %s', (_, value) => {
    const changed =
      typeof value === 'object' && value !== null && 'state' in value ? { ...record, ...value } : value;
    expect(parse(changed)).toBeUndefined();
  });

  it('has a key that changes with each thing that it depends on', async () => {
    const inputs = { vmlinux: 'a', wasm: 'b', memoryMB: 128 };
    const keys = await Promise.all(
      [inputs, { ...inputs, vmlinux: 'c' }, { ...inputs, wasm: 'c' }, { ...inputs, memoryMB: 64 }].map(
        snapshotKey,
      ),
    );
    expect(new Set(keys).size).toBe(4);
    expect(await snapshotKey({ ...inputs })).toBe(keys[0]);
  });

  it('names the version of v86 that is installed', () => {
    const path = new URL('../../../node_modules/v86/package.json', import.meta.url);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: V86_VERSION });
  });
});

describe('a machine that dies', () => {
  it.each([
    ['a panic', 'echo 1 >/proc/sys/vm/panic_on_oom; tail /dev/zero', /panicked: Out of memory/],
    ['a restart', 'busybox reboot -f', /restarted/],
    ['a halt', 'busybox halt -f', /halted/],
  ])('of %s says so, and everything that waits fails', async (_, line, reason) => {
    const { machine } = await start();
    const waiting = await machine.spawn(hostSpec('sleep 1000'));
    const reading = waiting.output[Symbol.asyncIterator]().next();
    reading.catch(() => undefined);
    const killer = await machine.spawn(hostSpec(line));
    killer.exit.catch(() => undefined);
    await vi.waitUntil(() => machine.state.status === 'failed', { timeout: 30_000 });
    expect(machine.state).toMatchObject({ reason: expect.stringMatching(reason) });
    await expect(waiting.exit).rejects.toBeInstanceOf(MachineFailedError);
    await expect(reading).rejects.toBeInstanceOf(MachineFailedError);
    await expect(machine.spawn(hostSpec('true'))).rejects.toBeInstanceOf(MachineFailedError);
    await expect(machine.sync()).rejects.toThrow(reason);
    await waiting.write(new Uint8Array(10));
  });

  it('because it has no kernel says which file is missing', async () => {
    const files: MachineFiles = async (name) => (name === 'vmlinux.gz' ? undefined : projectFiles(name));
    const machine = testMachine({ files, useSnapshot: false });
    await expect(machine.start()).rejects.toThrow(/vmlinux\.gz is missing/);
    expect(machine.state.status).toBe('failed');
  });
});

describe('a machine', () => {
  it('that is off or closed refuses, and starts once', async () => {
    const machine = testMachine();
    await expect(machine.sync()).rejects.toBeInstanceOf(MachineUnavailableError);
    await machine.close();
    expect(machine.state.status).toBe('closed');
    await expect(machine.start()).rejects.toThrow(/closed/);
    await machine.close();
  });

  it.each([0, 63, 513, 100.5])('with %d MB of memory does not exist', (memoryMB) => {
    expect(() => testMachine({ memoryMB })).toThrow(/64 to 512 MB/);
  });

  it('tells its states in order, and starts once however often it is asked', async () => {
    const states: string[] = [];
    const { machine } = await start();
    machine.onState(({ status }) => states.push(status));
    await Promise.all([machine.start(), machine.start()]);
    await machine.close();
    expect(states).toEqual(['closed']);
  });
});
