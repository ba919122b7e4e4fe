/// <reference lib="webworker" />
/** Opens files one after the other while everything that nothing refers to is collected; answers with how many came. */

import { ContentFiles } from '../../src/storage/content-files.ts';

/** V8's, with --expose-gc. */
declare const gc: (options: { execution: 'async'; type: 'major' }) => Promise<void>;

/** Collections that a file is waited for: without any it comes at once. */
const PATIENCE = 60;

self.onmessage = async ({ data: { sandbox, count } }) => {
  const files = await ContentFiles.open(sandbox);
  let opened = 0;
  for (let file = 0; file < count; file += 1) {
    let isOpen = false;
    files?.create(`file-${file}`).then((created) => {
      created.close();
      isOpen = true;
    });
    for (let times = 0; times < PATIENCE && !isOpen; times += 1) {
      await new Promise((resolve) => setTimeout(resolve));
      await gc({ execution: 'async', type: 'major' });
    }
    if (isOpen) opened += 1;
  }
  self.postMessage(opened);
};
