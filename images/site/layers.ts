/** The two layers of `layerbox/site`, on top of busybox. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LayerTree } from '../layer-tree.ts';

const WWW_DATA = { uid: 33, gid: 33 };

/** `COPY www /var/www` */
export function pagesLayer(www: string): LayerTree {
  const tree = new LayerTree().dir('var').dir('var/www');
  for (const name of readdirSync(www)) tree.file(`var/www/${name}`, readFileSync(join(www, name)));
  return tree;
}

/** `RUN mkdir ... /var/log/site` */
export function logLayer(): LayerTree {
  return new LayerTree()
    .dir('var')
    .dir('var/log')
    .dir('var/log/site', { mode: 0o750, ...WWW_DATA });
}
