/** What the rows share: the site and the registry, served on loopback for one run. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  /** For what programs on the host write; removed when all is measured. */
  readonly scratch: string;
  close(): Promise<void>;
}

/** Milliseconds a page has been open when something is typed: a person needs as long, and its rehearsals are over. */
export const TYPING_MS = 8_000;

export async function openSetting(): Promise<Setting> {
  const site = await serveFolder(await buildSite(), 0);
  const fixtures = await makeFixtures();
  const images = await makeBenchImages();
  const registry = await startRegistry();
  const scratch = await mkdtemp(join(tmpdir(), 'layerbox-bench-'));
  await pushLayout(fixtures.layout, 'debian', registry, 'test/debian:latest');
  await pushLayout(fixtures.layout, 'busybox', registry, 'test/busybox:latest');
  return {
    site: site.url,
    registry,
    fixtures,
    images,
    scratch,
    close: async () => {
      await rm(scratch, { recursive: true });
      await site.close();
      await registry.close();
    },
  };
}
