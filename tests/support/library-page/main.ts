/** A page that has the library and nothing else, as an embedder's. */

import { createSandbox } from '../../../src/index.ts';

window.createSandbox = createSandbox;
