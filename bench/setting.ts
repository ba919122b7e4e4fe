/** What the rows share: the site and the registry, served on loopback for one run. */

import { buildSite } from '../scripts/build.ts';
import { serveFolder } from '../scripts/serve.ts';
import { type Fixtures, makeFixtures } from '../tests/support/fixtures.ts';
import { pushLayout, type Registry, startRegistry } from '../tests/support/registry.ts';
import { makeBenchImages } from './images.ts';

export interface Setting {
  readonly site: string;
  readonly registry: Registry;
  readonly fixtures: Fixtures;
  /** An OCI layout with the images of images.ts. */
  readonly images: string;
  close(): Promise<void>;
}

export async function openSetting(): Promise<Setting> {
  const site = await serveFolder(await buildSite(), 0);
  const fixtures = await makeFixtures();
  const images = await makeBenchImages();
  const registry = await startRegistry();
  await pushLayout(fixtures.layout, 'debian', registry, 'test/debian:latest');
  await pushLayout(fixtures.layout, 'busybox', registry, 'test/busybox:latest');
  return {
    site: site.url,
    registry,
    fixtures,
    images,
    close: async () => {
      await site.close();
      await registry.close();
    },
  };
}
