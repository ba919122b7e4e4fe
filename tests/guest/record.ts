/**
 * Asks this system's own filesystem what the cases come to, and keeps the answers in tests/guest/expected:
 * `npx tsx tests/guest/record.ts`, as root on Linux with ext4. Prints where overlayfs departs from them.
 */

import { departures, HostSuite, PLACES, readCases, writeExpected } from './suite.ts';

const { cases } = readCases();
const suite = await HostSuite.make();
try {
  const plain = await suite.plain();
  writeExpected(cases, plain);
  console.log(`${cases.length} cases, ${plain.flat().length} operations recorded`);
  if (process.argv.includes('--overlay')) {
    const overlay = await suite.overlay();
    for (const place of PLACES) {
      for (const one of departures(cases, plain, overlay[place])) {
        console.log(`${place}\t${one.group}\t${one.title}\t${one.line}\t${one.got}`);
      }
    }
  }
} finally {
  suite.remove();
}
