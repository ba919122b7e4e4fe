import { describe, expect, it } from 'vitest';
import { KeptAnswer } from '../../../src/rpc/kept-answer.ts';

/** An engine that answers when a test says so, and a patience that a test lets end. */
function scripted() {
  const asked: { known: string | undefined; say: (value: string) => void; fail: (error: Error) => void }[] =
    [];
  const waiting: (() => void)[] = [];
  let late = 0;
  const answer = new KeptAnswer<string>({
    ask: (known) =>
      new Promise((resolve, reject) => {
        asked.push({ known, say: resolve, fail: reject });
      }),
    patience: () => new Promise((resolve) => void waiting.push(resolve)),
    onLate: () => {
      late += 1;
    },
  });
  return {
    answer,
    asked,
    say: async (value: string) => {
      asked.at(-1)?.say(value);
      await settled();
    },
    fail: async (error: Error) => {
      asked.at(-1)?.fail(error);
      await settled();
    },
    losePatience: async () => {
      for (const end of waiting.splice(0)) end();
      await settled();
    },
    late: () => late,
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** What a promise is by now. */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise, settled().then(() => 'waiting')]);
}

describe('a kept answer', () => {
  it('is waited for when nothing is known, however long', async () => {
    const { answer, say, losePatience } = scripted();
    const first = answer.get(0);
    await losePatience();
    expect(await stateOf(first)).toBe('waiting');
    await say('one');
    expect(await first).toBe('one');
  });

  it('is the new one when that comes in time', async () => {
    const { answer, say, asked, late, losePatience } = scripted();
    void answer.get(0);
    await say('one');
    const second = answer.get(0);
    expect(asked.at(-1)?.known).toBe('one');
    await say('two');
    await losePatience();
    expect([await second, late()]).toEqual(['two', 0]);
  });

  it('is the old one when patience ends first, and tells when the new one is another', async () => {
    const { answer, say, late, losePatience } = scripted();
    void answer.get(0);
    await say('one');
    const second = answer.get(0);
    await losePatience();
    expect([await second, late()]).toEqual(['one', 0]);
    await say('two');
    expect(late()).toBe(1);
    // the same again is no news
    const third = answer.get(0);
    await losePatience();
    await say('two');
    expect([await third, late()]).toEqual(['two', 1]);
  });

  it('is never older than a command that has ended', async () => {
    const { answer, say, losePatience } = scripted();
    void answer.get(0);
    await say('one');
    const after = answer.get(1);
    await losePatience();
    expect(await stateOf(after)).toBe('waiting');
    await say('two');
    expect(await after).toBe('two');
  });

  it('is asked for again when a question comes while one is under way: that one may be about before', async () => {
    const { answer, say, asked } = scripted();
    const first = answer.get(0);
    const second = answer.get(1);
    const third = answer.get(1);
    expect(asked.length).toBe(1);
    await say('before');
    expect(await first).toBe('before');
    expect(await stateOf(second)).toBe('waiting');
    expect(asked.length).toBe(2);
    await say('after');
    expect(await Promise.all([second, third])).toEqual(['after', 'after']);
    expect(asked.length).toBe(2);
  });

  it('asks again although the question before failed', async () => {
    const { answer, say, fail } = scripted();
    const first = answer.get(0);
    const second = answer.get(0);
    const refused = expect(first).rejects.toThrow('gone');
    await fail(new Error('gone'));
    await refused;
    await say('back');
    expect(await second).toBe('back');
  });

  it('is not given again once what it was about is gone, and that is told', async () => {
    const { answer, say, fail, late, losePatience } = scripted();
    void answer.get(0);
    await say('one');
    const second = answer.get(0);
    await losePatience();
    expect(await second).toBe('one');
    await fail(new Error('gone'));
    expect(late()).toBe(1);
    const third = answer.get(0);
    await losePatience();
    expect(await stateOf(third)).toBe('waiting');
    const refused = expect(third).rejects.toThrow('still gone');
    await fail(new Error('still gone'));
    await refused;
  });
});
