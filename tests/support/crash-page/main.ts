/** The library and the stores beneath it, on a page that tells what it does. */

import { createSandbox } from '../../../src/index.ts';
import { containerWork, imageWork } from './sandbox-work.ts';
import { openUpper } from './upper-work.ts';

const crashPage = { createSandbox, openUpper, imageWork, containerWork };

declare global {
  interface Window {
    crashPage: typeof crashPage;
  }
}

window.crashPage = crashPage;
