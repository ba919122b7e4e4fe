/**
 * Mutants of the union and of the upper: each patch beside this file breaks one line, and the unit tests of the
 * filesystem must notice. That the patches still apply is looked at always; `npm run test:long` applies each to a copy.
 */

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';

const root = join(import.meta.dirname, '../..');
const patches = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.patch'));
const isLong = process.env.LAYERBOX_LONG === '1';

const git = (folder: string, ...args: string[]) =>
  // without this git would take the patch for one of the repository around the folder
  run('git', ['apply', ...args], {
    cwd: folder,
    env: { ...process.env, GIT_CEILING_DIRECTORIES: join(folder, '..') },
  });

/** What vitest's JSON reporter writes. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

describe('the mutants', () => {
  it('are twenty at least', () => {
    expect(patches.length).toBeGreaterThanOrEqual(20);
  });

  it.each(patches)('%s applies', async (patch) => {
    await git(root, '--check', join(import.meta.dirname, patch));
  });
});

describe.runIf(isLong)('the unit tests of the filesystem', () => {
  let copy = '';
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'layerbox-mutants-'));
    for (const part of ['src', 'tests/unit/unionfs', 'tests/support', 'package.json', 'tsconfig.json']) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const config = {
      test: {
        include: ['tests/unit/unionfs/*.test.ts'],
        // what this measures is the process's, and may fail with no mutant's help
        testNamePattern: '^(?!.*in less than 60 MB)',
        bail: 1,
        testTimeout: 120_000,
        reporters: ['json'],
        outputFile: 'report.json',
      },
    };
    writeFileSync(join(copy, 'vitest.config.ts'), `export default ${JSON.stringify(config)};\n`);
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  /** Undefined when all pass; else why tests failed, but for those that ran out of time: a busy computer does that too. */
  async function failures(): Promise<string[] | undefined> {
    const env: NodeJS.ProcessEnv = { ...process.env, LAYERBOX_LONG: '0' };
    // those of the vitest that runs this are not for another
    for (const name of Object.keys(env)) if (name.startsWith('VITEST')) delete env[name];
    try {
      await run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], { cwd: copy, env });
      return undefined;
    } catch (error) {
      // 1 is what vitest ends with when a test failed
      if (!(error instanceof Error && 'code' in error && error.code === 1)) throw error;
    }
    const report: Report = JSON.parse(readFileSync(join(copy, 'report.json'), 'utf8'));
    return report.testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .flatMap(({ fullName, failureMessages }) => failureMessages.map((why) => `${fullName}: ${why}`))
      .filter((failure) => !failure.includes('timed out'));
  }

  it('pass as they are', { timeout: 600_000 }, async () => {
    expect(await failures()).toBeUndefined();
  });

  it.each(patches)('catch %s', { timeout: 600_000 }, async (patch) => {
    const path = join(import.meta.dirname, patch);
    await git(copy, path);
    try {
      expect((await failures())?.length).toBeGreaterThan(0);
    } finally {
      await git(copy, '-R', path);
    }
  });
});
