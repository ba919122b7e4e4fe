/** `npm run fuzz -- [--seconds N] [--seed N] [PARSER...]`: each parser for so long, by default all for 60 s each. */

import { parseArgs } from 'node:util';
import { Fuzzer } from './fuzz.ts';
import { keepInput } from './keep-input.ts';
import { parserNames } from './parsers.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const seconds = Number(values.seconds);
if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--seconds and --seed take numbers');
console.log(`seed ${seed}`);
for (const name of positionals.length > 0 ? positionals : parserNames) {
  const fuzzer = await Fuzzer.start();
  const { parsed, refused, failure } = await fuzzer.run(name, { seed, seconds });
  await fuzzer.close();
  if (failure === undefined) {
    console.log(`${name}: ${parsed + refused} inputs, ${parsed} parsed, ${refused} refused`);
    continue;
  }
  console.error(keepInput(name, failure));
  process.exitCode = 1;
}
