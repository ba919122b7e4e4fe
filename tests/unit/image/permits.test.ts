import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/engine/errors.ts';
import { Permits } from '../../../src/engine/image/permits.ts';

const never = new AbortController().signal;

describe('permits', () => {
  it('are so many at once, in the order of asking', async () => {
    const permits = new Permits(2);
    const given: number[] = [];
    const backs = [0, 1, 2, 3].map(async (number) => {
      const giveBack = await permits.take(never);
      given.push(number);
      return giveBack;
    });
    const [first, second] = await Promise.all(backs.slice(0, 2));
    expect([given, permits.areTaken]).toEqual([[0, 1], true]);
    second?.();
    const third = await backs[2];
    expect(given).toEqual([0, 1, 2]);
    first?.();
    // once only, however often it is said
    first?.();
    const fourth = await backs[3];
    expect(permits.areTaken).toBe(true);
    third?.();
    fourth?.();
    expect(permits.areTaken).toBe(false);
    const again = await Promise.all([permits.take(never), permits.take(never)]);
    expect([again.length, permits.areTaken]).toEqual([2, true]);
  });

  it('are not waited for any more when the signal is aborted, and go to the next', async () => {
    const permits = new Permits(1);
    const giveBack = await permits.take(never);
    const controller = new AbortController();
    const leaving = permits.take(controller.signal);
    const staying = permits.take(never);
    controller.abort();
    await expect(leaving).rejects.toThrow(CancelledError);
    await expect(permits.take(controller.signal)).rejects.toThrow(CancelledError);
    giveBack();
    (await staying)();
    expect(permits.areTaken).toBe(false);
  });
});
