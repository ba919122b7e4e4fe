/**
 * What the page asks while its machine computes without a pause and a pull goes on: how long it waits for an
 * answer. Each question is asked fifty times, spread over the pull.
 */

import type { Page } from 'playwright';
import { startChromium } from '../tests/support/chromium.ts';
import { pushLayout } from '../tests/support/registry.ts';
import { dockerOk, openSandbox } from '../tests/support/sandbox-page.ts';
import type { Row } from './report.ts';
import { compared } from './report.ts';
import type { Setting } from './setting.ts';

/** Milliseconds within which an answer seems to be there at once. */
const PROMPT = 100;
const TIMES = 50;
const PULLED = 'large-gzip-one-layer';

const QUESTIONS = [
  'layers of the images',
  'containers',
  'children of a directory',
  'changes of a container',
  'children of a directory of the container',
] as const;
/** Of each question in turn. */
type Waits = readonly (readonly number[])[];

/** Asks each question `times` times in turn, with a breath between them. Milliseconds that each answer took. */
async function askAll(page: Page, image: string, container: string, times: number): Promise<Waits> {
  return page.evaluate(
    async ([reference, id, count]) => {
      const { sandbox } = window;
      const took: number[][] = [[], [], [], [], []];
      for (let turn = 0; turn < count * took.length; turn++) {
        const question = turn % took.length;
        const start = performance.now();
        if (question === 0) await sandbox.images();
        else if (question === 1) await sandbox.containers();
        else if (question === 2) {
          await sandbox.files(reference).list('/usr/bin');
        } else if (question === 3) await sandbox.changes(id);
        else await sandbox.files(id).list('/etc');
        took[question]?.push(performance.now() - start);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return took;
    },
    [image, container, times] as const,
  );
}

export async function queryRows(setting: Setting): Promise<Row[]> {
  await pushLayout(setting.images, PULLED, setting.registry, `bench/${PULLED}`);
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  const image = `${setting.registry.host}/test/debian`;
  await dockerOk(page, 'pull', '-q', image);
  const line = 'while :; do :; done';
  const container = (
    await dockerOk(page, 'run', '-d', image, 'sh', '-c', `echo changed >/etc/motd; ${line}`)
  ).trim();
  const pulling = keepPulling(page, `${setting.registry.host}/bench/${PULLED}`);
  const waits = await askAll(page, image, container, TIMES);
  await page.evaluate(() => {
    document.title = 'enough';
  });
  await pulling;
  await chromium.close();
  return QUESTIONS.flatMap((question, number) => {
    const sorted = [...(waits[number] ?? [])].sort((a, b) => a - b);
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
    const name = `answer under load: ${question}`;
    return [
      { name: `${name}, median`, here: at(0.5), unit: 'ms' },
      compared({
        name: `${name}, 95th percentile`,
        here: at(0.95),
        unit: 'ms',
        against: 'at once',
        there: PROMPT,
        atLeast: 1,
      }),
      { name: `${name}, longest`, here: at(1), unit: 'ms' },
    ];
  });
}

/** Pulls the image and removes it again until the page's title says that it is enough. */
function keepPulling(page: Page, image: string): Promise<void> {
  return page.evaluate(async (reference) => {
    while (document.title !== 'enough') {
      const { exitCode, stderr } = await window.sandbox.docker(['pull', '-q', reference]);
      if (exitCode !== 0) throw new Error(stderr);
      await window.sandbox.docker(['rmi', reference]);
    }
  }, image);
}
