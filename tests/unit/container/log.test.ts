import { describe, expect, it } from 'vitest';
import { ContainerLog, LOG_CAP } from '../../../src/engine/container/log.ts';
import { decodeEntries, encodeEntries } from '../../../src/engine/container/log-entry.ts';
import { MemoryRecordStore } from '../../../src/engine/store/memory-records.ts';

const ID = 'c1';
const utf8 = new TextEncoder();

async function openLog(records = new MemoryRecordStore(), clock = { now: 1000 }) {
  const failures: unknown[] = [];
  const log = await ContainerLog.open(
    { records, now: () => clock.now, onFailure: (error) => failures.push(error) },
    ID,
  );
  return { log, records, clock, failures };
}

async function lines(
  log: ContainerLog,
  options: Parameters<ContainerLog['read']>[0] = {},
): Promise<string[]> {
  const found: string[] = [];
  for await (const { stream, bytes } of log.read(options)) {
    found.push(`${stream}:${new TextDecoder().decode(bytes)}`);
  }
  return found;
}

describe('a log', () => {
  it('has whole lines, each of its stream, and at the end what was none', async () => {
    const { log } = await openLog();
    log.write('out', utf8.encode('one\ntw'));
    log.write('err', utf8.encode('bad\n'));
    expect(await lines(log)).toEqual(['out:one\n', 'err:bad\n']);
    log.write('out', utf8.encode('o\nthree'));
    await log.end();
    expect(await lines(log)).toEqual(['out:one\n', 'err:bad\n', 'out:two\n', 'out:three']);
  });

  it('gives the last lines, whatever pieces they came in', async () => {
    const { log } = await openLog();
    log.write('out', utf8.encode('1\n2\n3\n'));
    log.write('out', utf8.encode('4\n5\n'));
    expect(await lines(log, { tail: 3 })).toEqual(['out:3\n', 'out:4\n', 'out:5\n']);
    expect(await lines(log, { tail: 0 })).toEqual([]);
    expect(await lines(log, { tail: 99 })).toHaveLength(5);
  });

  it('is there again once it was flushed, and goes on', async () => {
    const { log, records } = await openLog();
    log.write('out', utf8.encode('one\n'));
    await log.flush();
    const again = (await openLog(records)).log;
    expect(await lines(again)).toEqual(['out:one\n']);
    again.write('err', utf8.encode('two\n'));
    await again.end();
    expect(await lines((await openLog(records)).log)).toEqual(['out:one\n', 'err:two\n']);
  });

  it('flushes by itself within about a second', async () => {
    const { log, records } = await openLog();
    log.write('out', utf8.encode('one\n'));
    await expect.poll(async () => (await records.ids('logs')).length, { timeout: 5000 }).toBe(1);
  });

  it('tells of a flush of its own that failed, and stores it with the next', async () => {
    const records = new MemoryRecordStore();
    const commit = records.commit.bind(records);
    let fails = true;
    records.commit = (changes) => (fails ? Promise.reject(new Error('full')) : commit(changes));
    const { log, failures } = await openLog(records);
    log.write('out', utf8.encode('one\n'));
    await expect.poll(() => failures.length, { timeout: 5000 }).toBe(1);
    fails = false;
    await log.flush();
    expect(await lines((await openLog(records)).log)).toEqual(['out:one\n']);
  });

  it('keeps to its cap: the oldest lines go, in memory and in the store', async () => {
    const { log, records } = await openLog();
    const line = `${'x'.repeat(999)}\n`;
    const written = Math.ceil((3 * LOG_CAP) / line.length);
    for (let number = 0; number < written; number += 1) {
      log.write('out', utf8.encode(`${String(number).padStart(8, '0')}${line.slice(8)}`));
      if (number % 500 === 0) await log.flush();
    }
    await log.end();
    const stored = await records.list('logs');
    const bytes = stored.reduce((sum, record) => sum + record.bytes.length, 0);
    expect(bytes).toBeLessThanOrEqual(LOG_CAP);
    expect(bytes).toBeGreaterThan(LOG_CAP * 0.8);
    const again = await lines((await openLog(records)).log);
    expect(again.at(-1)).toContain(String(written - 1).padStart(8, '0'));
    expect(again).toEqual(await lines(log));
  });

  it('cuts a line without an end, so that it cannot fill the memory', async () => {
    const { log } = await openLog();
    log.write('out', utf8.encode('x'.repeat(40_000)));
    const found = await lines(log);
    expect(found.map((line) => line.length - 4)).toEqual([16_384, 16_384]);
  });

  it('is followed until the program ends', async () => {
    const { log } = await openLog();
    log.write('out', utf8.encode('one\n'));
    const following = lines(log, { follow: true });
    log.write('out', utf8.encode('two\n'));
    await log.end();
    expect(await following).toEqual(['out:one\n', 'out:two\n']);
  });

  it('is followed until the reader has enough', async () => {
    const { log } = await openLog();
    const control = new AbortController();
    const following = lines(log, { follow: true, signal: control.signal });
    log.write('out', utf8.encode('one\n'));
    await Promise.resolve();
    control.abort();
    expect((await following).length).toBeLessThanOrEqual(1);
  });
});

describe('stored entries', () => {
  const entries = [
    { stream: 'out', at: 1.5, bytes: utf8.encode('a\nb\n') },
    { stream: 'err', at: Date.UTC(2026, 0, 1), bytes: Uint8Array.of(0xff, 10) },
  ] as const;

  it('come back as they were', () => {
    expect(decodeEntries(encodeEntries(entries))).toEqual(entries);
    expect(decodeEntries(new Uint8Array(0))).toEqual([]);
  });

  it('that are damaged are refused', () => {
    const bytes = encodeEntries(entries);
    for (const length of [1, 12, 13, 16, bytes.length - 1]) {
      expect(() => decodeEntries(bytes.slice(0, length))).toThrow('damaged');
    }
    bytes[0] = 9;
    expect(() => decodeEntries(bytes)).toThrow('damaged at byte 0');
  });
});
