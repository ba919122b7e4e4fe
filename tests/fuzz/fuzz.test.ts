/**
 * Whatever bytes a registry sends are parsed or refused with a LayerboxError: no
 * other error, no hang, no result out of proportion. Short here; `npm run fuzz` goes on for longer.
 */

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Fuzzer } from './fuzz.ts';
import { keepInput } from './keep-input.ts';
import { mutate, randomOf } from './mutate.ts';
import { outcomeOf } from './outcome.ts';
import { type FuzzedParser, keptSeeds, parserNames, parserOf } from './parsers.ts';

const isLong = process.env.LAYERBOX_LONG === '1';
/** Every input of one of these is good to it. */
const takesAnything = new Set(['compression', 'challenge', 'link', 'stargz footer']);

let fuzzer: Promise<Fuzzer> | undefined;
/** One thread for all, until one fails. */
const running = () => {
  fuzzer ??= Fuzzer.start();
  return fuzzer;
};
const stop = async () => {
  const started = fuzzer;
  fuzzer = undefined;
  await (await started)?.close();
};
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await stop();
});
afterAll(stop);

describe.each(parserNames)('the parser of %s', (name) => {
  const parser = parserOf(name);

  it('takes the inputs that others are made of', () => {
    const kept = new Set(keptSeeds(name).map(([, bytes]) => Buffer.from(bytes).toString('hex')));
    for (const seed of parser.seeds) {
      // kept ones may be what once went wrong
      if (kept.has(Buffer.from(seed).toString('hex'))) continue;
      expect(outcomeOf(parser, Uint8Array.from(seed))).toBe('parsed');
    }
  });

  it.each(keptSeeds(name))('takes or refuses %s', (_, bytes) => {
    expect(['parsed', 'refused']).toContain(outcomeOf(parser, Uint8Array.from(bytes)));
  });

  it('takes or refuses whatever is made of them', { timeout: 180_000 }, async () => {
    const options = isLong
      ? { seed: Date.now() % 2 ** 31, seconds: 60 }
      : { seed: 20_240, seconds: 20, runs: 1000 };
    const { parsed, refused, failure } = await (await running()).run(name, options);
    if (failure !== undefined) expect.fail(`seed ${options.seed}: ${keepInput(name, failure)}`);
    // inputs that never get in, or are never refused, show nothing
    expect(parsed).toBeGreaterThan(0);
    if (!takesAnything.has(name)) expect(refused).toBeGreaterThan(0);
  });
});

describe('the fuzzer', () => {
  it.each([
    ['what never returns', 'it did not return within 3 seconds'],
    ['what hoards', /memory limit/],
    ['what crashes', /TypeError: x is undefined/],
  ])('notices %s, and has the input', async (name, reason) => {
    const { failure } = await (await running()).run(name, { seed: 1, seconds: 1, patience: 3 });
    await stop();
    expect(failure?.reason).toMatch(reason);
    expect(failure?.input.length).toBeGreaterThan(0);
  });

  const parse = (act: () => number): FuzzedParser => ({ seeds: [], parse: act });

  it('tells a crash and a result out of proportion from a refusal', () => {
    const crash = parse(() => {
      throw new RangeError('Invalid array length');
    });
    expect(outcomeOf(crash, new Uint8Array(1))).toMatchObject({
      bug: expect.stringContaining('Invalid array length'),
    });
    expect(
      outcomeOf(
        parse(() => 2_000_000),
        new Uint8Array(1),
      ),
    ).toEqual({
      bug: '1 bytes became 2000000, and at most 1001000 are right',
    });
    expect(
      outcomeOf(
        parse(() => 1),
        new Uint8Array(1),
      ),
    ).toBe('parsed');
  });

  it('makes the same inputs of the same seed, and others of another', () => {
    const seeds = [Uint8Array.from({ length: 2000 }, (_, i) => i)];
    const made = (seed: number) => {
      const random = randomOf(seed);
      return Array.from({ length: 50 }, () => Buffer.from(mutate(seeds, random, ['word'])).toString('hex'));
    };
    expect(made(1)).toEqual(made(1));
    expect(made(1)).not.toEqual(made(2));
    expect(new Set(made(1)).size).toBeGreaterThan(40);
  });
});
