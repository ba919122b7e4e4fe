/**
 * The order of the test files: those that take long begin, so that no worker ends up with one of them while the others
 * have nothing left to do. Vitest does so itself by the times of an earlier run, which a fresh clone does not have; then
 * it goes by their size, which tells little.
 */

import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification, type Vitest } from 'vitest/node';

/** Files that take more than half a minute, or a third of that in Node; longest first. The others come after them. */
const LONG = [
  'tests/e2e/courses/courses.test.ts',
  'tests/e2e/accounts.test.ts',
  'tests/e2e/lazy-start.test.ts',
  'tests/e2e/crash.test.ts',
  'tests/e2e/faults.test.ts',
  'tests/e2e/failures.test.ts',
  'tests/e2e/quota.test.ts',
  'tests/e2e/registries.test.ts',
  'tests/e2e/terminal.test.ts',
  'tests/e2e/two-tabs.test.ts',
  'tests/e2e/push.test.ts',
  'tests/e2e/durability.test.ts',
  'tests/unit/machine/machine.test.ts',
  'tests/unit/machine/snapshot.test.ts',
  'tests/unit/container/grants.test.ts',
  'tests/unit/machine/guest-files.test.ts',
  'tests/guest/machine.test.ts',
  'tests/unit/machine/rehearsal.test.ts',
  'tests/golden/commands.test.ts',
  'tests/unit/network/dig-in-container.test.ts',
  'tests/unit/unionfs/model.test.ts',
  'tests/unit/network/guest-network.test.ts',
];

export class LongestFirst extends BaseSequencer {
  readonly #root: string;

  constructor(vitest: Vitest) {
    super(vitest);
    this.#root = vitest.config.root;
    const gone = LONG.filter((file) => !existsSync(join(this.#root, file)));
    if (gone.length > 0) throw new Error(`tests/support/longest-first.ts names what is not there: ${gone}`);
  }

  /** Groups one after the other stay so: the pool goes by each project's own `groupOrder`. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.indexOf(relative(this.#root, moduleId));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
