/** Before the end-to-end tests: the built site served, the real images made, and the real registries filled. */

import type { TestProject } from 'vitest/node';
import { buildSite } from '../../scripts/build.ts';
import { serveFolder } from '../../scripts/serve.ts';
import { makeFixtures } from './fixtures.ts';
import { pushLayout, startRegistry } from './registry.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the page. */
    site: string;
    /** `host:port` of a CNCF Distribution with CORS that holds test/busybox, test/debian and test/big. */
    registry: string;
    /** The same without CORS. */
    closedRegistry: string;
    roots: Readonly<Record<'busybox' | 'debian' | 'big', string>>;
    layout: string;
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const [dist, fixtures, registry, closed] = await Promise.all([
    buildSite(),
    makeFixtures(),
    startRegistry(),
    startRegistry({ cors: false }),
  ]);
  const site = await serveFolder(dist, 0);
  for (const tag of ['busybox', 'debian', 'big']) {
    await pushLayout(fixtures.layout, tag, registry, `test/${tag}:latest`);
  }
  await pushLayout(fixtures.layout, 'busybox', closed, 'test/busybox:latest');
  project.provide('site', site.url);
  project.provide('registry', registry.host);
  project.provide('closedRegistry', closed.host);
  project.provide('roots', fixtures.roots);
  project.provide('layout', fixtures.layout);
  return async () => {
    await Promise.all([site.close(), registry.close(), closed.close()]);
  };
}
