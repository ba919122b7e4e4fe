/**
 * The guest's filesystem over a Debian root, cold and warm, against the same programs on the same tree on
 * the host; and what small files cost, made, synced and thrown away.
 *
 * Cold: nothing of the tree is in the guest's caches; what is in the page's memory stays there.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { startChromium } from '../tests/support/chromium.ts';
import { run } from '../tests/support/run.ts';
import { dockerOk, openSandbox, sh } from '../tests/support/sandbox-page.ts';
import { compared, median, milliseconds, type Row } from './report.ts';
import type { Setting } from './setting.ts';

interface Work {
  readonly name: string;
  readonly line: string;
  /** The ratios to the host that must be reached: half of those that docs/performance.md has. */
  readonly atLeast: { readonly cold: number; readonly warm: number };
}

/** What is run, in the root of the tree, with a folder for what it makes. */
const WORK: readonly Work[] = [
  {
    name: 'ls -lR /',
    line: 'ls -lR bin etc home lib opt root sbin srv usr var | wc -l',
    atLeast: { cold: 0.009, warm: 0.03 },
  },
  {
    name: 'grep -r in /usr/share',
    line: 'grep -r zzyzzx usr/share | wc -l',
    atLeast: { cold: 0.006, warm: 0.035 },
  },
  {
    name: 'tar c of /usr/share and /etc',
    line: 'tar c usr/share etc | cat | wc -c',
    atLeast: { cold: 0.01, warm: 0.025 },
  },
  {
    name: 'tar x of 900 files',
    line: 'rm -rf "$made"; mkdir "$made"; tar c usr/share/doc usr/share/vim etc | tar x -C "$made"',
    atLeast: { cold: 0.03, warm: 0.04 },
  },
  {
    name: '200 times fork and exec',
    line: 'for i in $(seq 200); do /bin/true; done',
    atLeast: { cold: 0.05, warm: 0.1 },
  },
];

const inContainer = (page: Page, line: string) =>
  dockerOk(page, 'exec', '-w', '/', 'tree', 'sh', '-c', `made=/tmp/made; ${line}`);

async function forget(page: Page): Promise<void> {
  const { exitCode, stderr } = await sh(page, 'sync; echo 3 >/proc/sys/vm/drop_caches');
  if (exitCode !== 0) throw new Error(`the guest's caches were not dropped: ${stderr}`);
}

async function treeRows(page: Page, setting: Setting): Promise<Row[]> {
  const rows: Row[] = [];
  const made = await mkdtemp(join(tmpdir(), 'layerbox-bench-'));
  for (const { name, line, atLeast } of WORK) {
    await forget(page);
    const cold = await milliseconds(() => inContainer(page, line));
    const warm = await median(3, () => milliseconds(() => inContainer(page, line)));
    const there = await median(3, () =>
      milliseconds(() =>
        run('sh', ['-c', `made=${made}/made; ${line}`], { cwd: setting.fixtures.roots.debian }),
      ),
    );
    const against = 'the same on the host';
    rows.push(
      compared({ name: `${name}, cold`, here: cold, unit: 'ms', against, there, atLeast: atLeast.cold }),
      compared({ name: `${name}, warm`, here: warm, unit: 'ms', against, there, atLeast: atLeast.warm }),
    );
  }
  await rm(made, { recursive: true });
  return rows;
}

async function smallFileRows(page: Page, image: string): Promise<Row[]> {
  const make = (container: string, count: number) =>
    dockerOk(
      page,
      'exec',
      container,
      'sh',
      '-c',
      `mkdir /f${count}; cd /f${count}; for i in $(seq ${count}); do echo $i >$i; done; sync`,
    );
  await dockerOk(page, 'run', '-d', '--name', 'full', image, 'sleep', '100000');
  await dockerOk(page, 'run', '-d', '--name', 'empty', image, 'sleep', '100000');
  await make('full', 100);
  const few = await milliseconds(() => make('full', 2500));
  const many = await milliseconds(() => make('full', 10_000));
  const full = await milliseconds(() => dockerOk(page, 'rm', '-f', 'full'));
  const empty = await milliseconds(() => dockerOk(page, 'rm', '-f', 'empty'));
  return [
    compared({
      name: '10,000 small files created and synced',
      here: many,
      unit: 'ms',
      against: 'four times 2,500 of them',
      there: 4 * few,
      atLeast: 0.75,
    }),
    compared({
      name: 'docker rm -f of a container with 12,600 files',
      here: full,
      unit: 'ms',
      against: 'of an empty one',
      there: empty,
      atLeast: 0.2,
    }),
  ];
}

export async function guestFilesystemRows(setting: Setting): Promise<Row[]> {
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  const image = `${setting.registry.host}/test/debian`;
  await dockerOk(page, 'pull', '-q', image);
  await dockerOk(page, 'run', '-d', '--name', 'tree', image, 'sleep', '100000');
  const rows = [...(await treeRows(page, setting)), ...(await smallFileRows(page, image))];
  await chromium.close();
  return rows;
}
