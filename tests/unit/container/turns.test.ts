import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/engine/turns.ts';

describe('work in turns', () => {
  it('waits for what was asked for before it under the same key, failed or not, and for nothing else', async () => {
    const turns = new Turns();
    const order: string[] = [];
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const first = turns.take('a', async () => {
      await gate;
      order.push('first');
      throw new Error('it failed');
    });
    const second = turns.take('a', async () => order.push('second'));
    await turns.take('b', async () => order.push('other'));
    open();
    await expect(first).rejects.toThrow('it failed');
    await second;
    expect(order).toEqual(['other', 'first', 'second']);
  });
});
