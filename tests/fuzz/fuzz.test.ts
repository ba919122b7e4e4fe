/**
 * Whatever bytes a registry sends are parsed or refused with a LayerboxError: no other error, no hang, no result and no
 * memory out of proportion. Short here; `npm run fuzz` goes on for longer.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Fuzzer } from './fuzz.ts';
import type { FuzzedParser } from './fuzzed-parser.ts';
import { keepInput } from './keep-input.ts';
import { mutate, randomOf } from './mutate.ts';
import { outcomeOf } from './outcome.ts';
import { parserNames, parserOf } from './parsers.ts';
import { keptSeeds } from './seeds.ts';

const isLong = process.env.LAYERBOX_LONG === '1';

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

  it('makes of the inputs that are kept for it what is known of them', async () => {
    const seeds = keptSeeds(name);
    expect(seeds.length).toBeGreaterThan(0);
    expect(seeds.some(({ outcome }) => outcome === 'parsed')).toBe(true);
    for (const { file, bytes, outcome } of seeds) {
      const became = await outcomeOf(parser, Uint8Array.from(bytes));
      expect(outcome === undefined ? ['parsed', 'refused'] : [outcome], file).toContainEqual(became);
    }
  });

  it('takes or refuses whatever is made of them', { timeout: 180_000 }, async () => {
    const options = isLong
      ? { seed: Date.now() % 2 ** 31, seconds: 60 }
      : { seed: 20_240, seconds: 20, runs: parser.runs ?? 1000 };
    const { parsed, refused, failure } = await (await running()).run(name, options);
    if (failure !== undefined) expect.fail(`seed ${options.seed}: ${keepInput(name, failure)}`);
    // inputs that never get in, or are never refused, show nothing
    expect(parsed).toBeGreaterThan(0);
    if (parser.takesAnything !== true) expect(refused).toBeGreaterThan(0);
  });
});

describe('an input that shows a bug', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layerbox-fuzz-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(parserNames)('of the parser of %s is among its seeds from then on', (name) => {
    const input = Uint8Array.of(1, 2, 3);
    const told = keepInput(name, { reason: 'it is slow', input }, folder);
    const [seed, ...others] = keptSeeds(name, folder);
    expect(others).toEqual([]);
    expect(seed).toMatchObject({ bytes: input, outcome: undefined });
    expect(told).toContain(`/${seed?.file}: commit it`);
  });
});

describe('the fuzzer', () => {
  it.each([
    ['what crashes', /TypeError: x is undefined/],
    ['what believes a length', /^\d+ bytes took 3\d\d MB of buffers outside of the heap/],
    ['what lets its WebAssembly grow', /^\d+ bytes took 3\d\d MB of buffers outside of the heap/],
    ['what keeps a little of each input', /^\d+ MB are left in memory of 400 inputs/],
  ])('notices %s, and has the input', async (name, reason) => {
    const { failure } = await (await running()).run(name, { seed: 1, seconds: 10, runs: 400 });
    expect(failure?.reason).toMatch(reason);
    expect(failure?.input.length).toBeGreaterThan(0);
  });

  it.each([
    ['what never returns', 'it did not return within 0.3 seconds', 0.3],
    ['what waits for nothing', 'it did not return within 0.3 seconds', 0.3],
    ['what hoards', /memory limit/, 20],
    ['what hoards buffers', /^it took \d+ MB of memory before it returned$/, 20],
  ])('notices %s, has the input, and is of no more use', async (name, reason, patience) => {
    await stop();
    const { failure } = await (await running()).run(name, { seed: 1, seconds: 10, patience });
    await stop();
    expect(failure?.reason).toMatch(reason);
    expect(failure?.input.length).toBeGreaterThan(0);
  });

  const parse = (act: () => number): FuzzedParser => ({ parse: act });

  it('tells a crash and a result out of proportion from a refusal', async () => {
    const crash = parse(() => {
      throw new RangeError('Invalid array length');
    });
    expect(await outcomeOf(crash, new Uint8Array(1))).toMatchObject({
      bug: expect.stringContaining('Invalid array length'),
    });
    const large = parse(() => 2_000_000);
    expect(await outcomeOf(large, new Uint8Array(1))).toEqual({
      bug: '1 bytes became 2000000, and at most 1001000 are right',
    });
    const good = parse(() => 1);
    expect(await outcomeOf(good, new Uint8Array(1))).toBe('parsed');
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
