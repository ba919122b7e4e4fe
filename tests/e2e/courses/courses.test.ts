/** Sessions as a course would type them, in one terminal of one page; each leaves the host as it found it. */

import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../../support/chromium.ts';
import { Course, type Session } from '../../support/course.ts';
import { type Deployment, startPlain } from '../../support/deployment.ts';
import { pushLayout } from '../../support/registry.ts';
import { dockerOk, openSandbox, sh, shows } from '../../support/sandbox-page.ts';
import { CONTAINERS } from './containers.ts';
import { IMAGES } from './images.ts';
import { LIMITS } from './limits.ts';
import { MISTAKES } from './mistakes.ts';
import { NETWORKS } from './networks.ts';
import { QUESTIONS } from './questions.ts';
import { STORAGE } from './storage.ts';

let chromium: Chromium;
let page: Page;
/** Anybody reads it and writes it. */
let registry: Deployment;
let course: Course;

beforeAll(async () => {
  // wide enough for the rows of docker ps
  [chromium, registry] = await Promise.all([
    startChromium({ viewport: { width: 2200, height: 1000 } }),
    startPlain(),
  ]);
  await pushLayout(inject('layout'), 'busybox', registry, 'test/busybox:latest');
  page = await openSandbox(chromium, inject('site'));
  await shows(page, /host:~[$#]$/);
  await dockerOk(page, 'pull', '-q', 'busybox');
  course = new Course(page);
  await course.begin();
});
afterAll(() => Promise.all([chromium.close(), registry.close()]));

/** What a session may leave: the image that all use. */
const left = async () => ({
  containers: await dockerOk(page, 'ps', '-aq'),
  volumes: await dockerOk(page, 'volume', 'ls', '-q'),
  networks: await dockerOk(page, 'network', 'ls', '--format', '{{.Name}}'),
  images: await dockerOk(page, 'images', '-a', '--format', '{{.Repository}}:{{.Tag}}'),
  files: (await sh(page, 'ls ~')).stdout,
});

const subjects: Readonly<Record<string, readonly Session[]>> = {
  containers: CONTAINERS,
  images: IMAGES,
  storage: STORAGE,
  networks: NETWORKS,
  limits: LIMITS,
  questions: QUESTIONS,
  mistakes: MISTAKES,
};

describe.each(Object.entries(subjects))('%s', (_subject, sessions) => {
  it.each(sessions)('$title', async ({ lines }) => {
    try {
      for (const { type, ...rest } of lines) {
        await course.line({ type: type.replaceAll('{registry}', registry.host), ...rest });
      }
      expect(await left()).toEqual({
        containers: '',
        volumes: '',
        networks: 'bridge\nhost\nnone\n',
        images: 'busybox:latest\n',
        files: '',
      });
    } catch (failure) {
      // the next session is to find the host as this one did
      await course.recover();
      throw failure;
    }
  });
});

it('the page raised no error', () => {
  expect(chromium.complaints.filter((text) => !/Failed to load resource|CORS policy/.test(text))).toEqual([]);
});
