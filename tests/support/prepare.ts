/** `npx tsx tests/support/prepare.ts`: makes what tests would make once they need it, so that they find it. */

import { buildSite } from '../../scripts/build.ts';
import { makeDigTar } from './dig.ts';
import { makeFixtures } from './fixtures.ts';
import { makeForeignImage } from './foreign-image.ts';

await Promise.all([buildSite(), makeFixtures(), makeForeignImage(), makeDigTar()]);
