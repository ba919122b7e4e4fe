/** Makes inputs that are almost right out of inputs that are. Deterministic: one seed, one sequence. */

/** Numbers from 0 up to and without `below`. */
export type Random = (below: number) => number;

/** A generator (mulberry32) for a seed. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const interesting = [
  0, 1, 9, 10, 0x20, 0x22, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x37, 0x39, 0x3a, 0x3d, 0x5b, 0x7b, 0x7f, 0x80, 0xc0,
  0xed, 0xff,
];
const numbers = [
  '0',
  '1',
  '-1',
  '7',
  '511',
  '513',
  '4096',
  '65536',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '1e9',
  '777777777777',
  '00',
  ' ',
];

const bytesOf = (text: string) => new TextEncoder().encode(text);

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

type Mutation = (
  input: Uint8Array<ArrayBuffer>,
  random: Random,
  other: Uint8Array,
  words: readonly string[],
) => Uint8Array<ArrayBuffer>;

/** Where a number in ASCII digits stands, if one does near `from`. */
function digitsNear(input: Uint8Array, from: number): readonly [number, number] | undefined {
  const isDigit = (at: number) => (input[at] ?? 0) >= 0x30 && (input[at] ?? 0) <= 0x39;
  for (let start = from; start < Math.min(input.length, from + 200); start++) {
    if (!isDigit(start)) continue;
    let end = start;
    while (isDigit(end)) end++;
    return [start, end];
  }
  return undefined;
}

const replaced = (input: Uint8Array, start: number, end: number, by: Uint8Array) =>
  joined(input.subarray(0, start), by, input.subarray(end));

const mutations: readonly Mutation[] = [
  (input, random) => {
    const at = random(input.length);
    input[at] = (input[at] ?? 0) ^ (1 << random(8));
    return input;
  },
  (input, random) => {
    input[random(input.length)] = interesting[random(interesting.length)] ?? 0;
    return input;
  },
  (input, random) => {
    input[random(input.length)] = random(256);
    return input;
  },
  // a number becomes another of the same width, or of any
  (input, random) => {
    const found = digitsNear(input, random(input.length));
    if (found === undefined) return input;
    const [start, end] = found;
    const number = numbers[random(numbers.length)] ?? '';
    const fitting = random(2) === 0 ? number.padStart(end - start, '0').slice(-(end - start)) : number;
    return replaced(input, start, end, bytesOf(fitting));
  },
  (input, random) => {
    const start = random(input.length);
    return replaced(input, start, Math.min(input.length, start + 1 + random(64)), new Uint8Array(0));
  },
  (input, random) => {
    const start = random(input.length);
    const piece = input.slice(start, start + 1 + random(64));
    return replaced(input, start, start, piece);
  },
  (input, random) => input.slice(0, random(input.length + 1)),
  // a whole block taken out, doubled or moved: tars consist of them
  (input, random) => {
    const block = random(Math.ceil(input.length / 512)) * 512;
    return replaced(input, block, Math.min(input.length, block + 512), new Uint8Array(0));
  },
  (input, random) => {
    const block = random(Math.ceil(input.length / 512)) * 512;
    const to = random(Math.ceil(input.length / 512) + 1) * 512;
    return replaced(
      input,
      Math.min(to, input.length),
      Math.min(to, input.length),
      input.slice(block, block + 512),
    );
  },
  (input, random, other) => {
    const start = random(input.length);
    const from = random(other.length + 1);
    return replaced(
      input,
      start,
      Math.min(input.length, start + random(600)),
      other.slice(from, from + random(600)),
    );
  },
  (input, random, other) =>
    joined(input.slice(0, random(input.length + 1)), other.slice(random(other.length + 1))),
  (input, random, _, words) => {
    const word = bytesOf(words[random(words.length)] ?? '');
    const at = random(input.length);
    return replaced(input, at, Math.min(input.length, random(2) === 0 ? at : at + word.length), word);
  },
  (input, random) => {
    const at = random(input.length);
    const run = new Uint8Array(1 + random(300)).fill(interesting[random(interesting.length)] ?? 0);
    return replaced(input, at, Math.min(input.length, at + run.length), run);
  },
];

/** No longer than this, so that the runs stay many. */
const maxLength = 32 << 10;

/** One input made of one or two of the seeds by a few mutations. */
export function mutate(
  seeds: readonly Uint8Array[],
  random: Random,
  words: readonly string[],
): Uint8Array<ArrayBuffer> {
  const pick = () => seeds[random(seeds.length)] ?? new Uint8Array(1);
  let input: Uint8Array<ArrayBuffer> = Uint8Array.from(pick());
  for (let steps = 1 + random(6); steps > 0; steps--) {
    if (input.length === 0) input = new Uint8Array(1);
    const mutation = mutations[random(mutations.length)];
    if (mutation !== undefined) input = mutation(input, random, pick(), words);
  }
  return input.slice(0, maxLength);
}
