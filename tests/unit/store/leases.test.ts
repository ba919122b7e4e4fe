import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/engine/oci/digest.ts';
import { Leases } from '../../../src/engine/store/leases.ts';
import { MemoryRecordStore } from '../../../src/engine/store/memory-records.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;

describe('leases', () => {
  const opened = () => {
    const records = new MemoryRecordStore();
    return { records, leases: new Leases(records, () => 42) };
  };

  it('are durable records that say who took them and what they keep', async () => {
    const { records, leases } = opened();
    const lease = await leases.take({
      owner: 'pull busybox',
      content: [digest('1'), digest('1')],
      ephemeral: true,
    });
    expect(await records.list('leases')).toEqual([
      {
        id: lease.id,
        owner: 'pull busybox',
        content: [digest('1')],
        layers: [],
        createdAt: 42,
        ephemeral: true,
      },
    ]);
  });

  it('have IDs of their own, or the one that was asked for', async () => {
    const { records, leases } = opened();
    const one = await leases.take({ owner: 'a', ephemeral: true });
    const two = await leases.take({ owner: 'a', ephemeral: true });
    const named = await leases.take({ id: 'container/abc', owner: 'run', ephemeral: false });
    expect(new Set([one.id, two.id]).size).toBe(2);
    expect(named.id).toBe('container/abc');
    expect((await records.list('leases')).length).toBe(3);
  });

  it('lose nothing when extended several times at once', async () => {
    const { records, leases } = opened();
    const lease = await leases.take({ owner: 'pull', layers: [digest('0')], ephemeral: true });
    await Promise.all([
      lease.extend({ content: [digest('1')] }),
      lease.extend({ content: [digest('2')], layers: [digest('3')] }),
      lease.extend({ layers: [digest('3')] }),
    ]);
    const record = await records.get('leases', lease.id);
    expect(record?.content).toEqual([digest('1'), digest('2')]);
    expect(record?.layers).toEqual([digest('0'), digest('3')]);
  });

  it('end when released, by hand or in the commit of what they kept', async () => {
    const { records, leases } = opened();
    const byHand = await leases.take({ owner: 'a', ephemeral: true });
    const inCommit = await leases.take({ owner: 'b', ephemeral: true });
    await byHand.release();
    await byHand.release();
    await records.commit([{ kind: 'meta', put: { id: 'x', value: 1 } }, inCommit.releaseChange()]);
    expect(await records.ids('leases')).toEqual([]);
  });

  it('that are ephemeral are dropped at the start, the others stay', async () => {
    const { records, leases } = opened();
    await leases.take({ id: 'a', owner: 'pull', ephemeral: true });
    await leases.take({ id: 'b', owner: 'run', ephemeral: false });
    expect(await leases.dropEphemeral()).toBe(1);
    expect(await records.ids('leases')).toEqual(['b']);
  });

  it('wait for the end of a collection, even of one that fails', async () => {
    const { records, leases } = opened();
    let fail = (_: Error): void => undefined;
    const collecting = new Promise<void>((_, reject) => {
      fail = reject;
    });
    const collection = leases.whileStill(() => collecting);
    let isTaken = false;
    const taking = leases.take({ owner: 'pull', ephemeral: true }).then(() => {
      isTaken = true;
    });
    // Far more turns than a commit in memory takes.
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
    expect(isTaken).toBe(false);
    expect(await records.ids('leases')).toEqual([]);
    fail(new Error('disk'));
    await expect(collection).rejects.toThrow('disk');
    await taking;
    expect((await records.ids('leases')).length).toBe(1);
  });
});
