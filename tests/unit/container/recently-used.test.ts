import { describe, expect, it } from 'vitest';
import { RecentlyUsed } from '../../../src/engine/container/recently-used.ts';

/** What was made, in its order. */
function counting(limit: number) {
  const made: string[] = [];
  const kept = new RecentlyUsed<string>(limit);
  const ask = (key: string) =>
    kept.get(key, async () => {
      made.push(key);
      return `${key}!`;
    });
  return { made, kept, ask };
}

describe('what was made lately', () => {
  it('is made once, also for those who ask at the same time', async () => {
    const { made, ask } = counting(2);
    expect(await Promise.all([ask('a'), ask('a')])).toEqual(['a!', 'a!']);
    expect(await ask('a')).toBe('a!');
    expect(made).toEqual(['a']);
  });

  it('makes room by what was asked for longest ago', async () => {
    const { made, ask } = counting(2);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await ask(key);
    expect(made).toEqual(['a', 'b', 'c', 'b']);
  });

  it('is made again when it was let go, or could not be made', async () => {
    const { made, kept, ask } = counting(2);
    await ask('a');
    kept.delete('a');
    await ask('a');
    expect(made).toEqual(['a', 'a']);
    await expect(kept.get('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await ask('b')).toBe('b!');
  });
});
