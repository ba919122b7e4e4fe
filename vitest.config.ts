import { rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tests/support/longest-first.ts';

/** A profile on the disk: in a private window Chromium keeps IndexedDB in memory and has neither files nor quotas. */
const profile = join(tmpdir(), `layerbox-browser-${process.pid}`);
process.on('exit', () => rmSync(profile, { recursive: true, force: true }));

/** On two cores both: the one that is left for it by default has hardly anything to do while the tests run. */
const workers = Math.max(2, availableParallelism() - 1);

/**
 * unit         pure code in Node
 * conformance  one suite per port, on the in-memory implementations in Node
 * fuzz         parsers on inputs that are almost right: 1,000 each at most, or as many as 20 seconds allow
 * browser      the same suites and the adapters, in headless Chromium on real IndexedDB
 * e2e          the built site driven through Chromium against real registries
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'tests/unit/**/*.test.ts',
            'tests/{golden,guest,mutants}/**/*.test.ts',
            'tests/conformance/**/*.memory.test.ts',
          ],
          testTimeout: 60_000,
          maxWorkers: workers,
        },
      },
      {
        test: {
          name: 'fuzz',
          include: ['tests/fuzz/**/*.test.ts'],
          testTimeout: 60_000,
          maxWorkers: workers,
        },
      },
      {
        // Known from the start: one that is found on the way reloads the page in the middle of a test.
        optimizeDeps: { include: ['@isomorphic-git/lightning-fs', 'comlink', 'hash-wasm', 'idb', 'pako'] },
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts', 'tests/conformance/**/*.indexeddb.test.ts'],
          testTimeout: 120_000,
          // Beside the end-to-end tests, which wait more than they compute; one group has one number of workers.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            // One profile, so one after the other.
            fileParallelism: false,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              persistentContext: profile,
              launchOptions: {
                executablePath: process.env.LAYERBOX_CHROMIUM ?? '/usr/bin/chromium',
                args: [
                  '--no-sandbox',
                  '--disable-gpu',
                  '--disable-quic',
                  '--no-first-run',
                  '--disable-background-networking',
                  '--disable-component-update',
                  '--disable-sync',
                  // for what goes wrong only when memory is collected at the wrong moment
                  '--js-flags=--expose-gc',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: ['tests/support/e2e-setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // A file waits for its pages more than it computes: two share the time that three would need. After all other suites.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
