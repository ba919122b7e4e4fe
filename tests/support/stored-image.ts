/** An image of many files as a store has it, and what it costs to open it in a process of its own. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layersOfFiles } from './many-files.ts';
import type { OpeningCost } from './open-stored-image.ts';
import { run } from './run.ts';

export async function costOfOpening(layers: number, files: number): Promise<OpeningCost> {
  const folder = await mkdtemp(join(tmpdir(), 'layerbox-indexes-'));
  try {
    for (const { diffID, buffer } of layersOfFiles(layers, files)) {
      await writeFile(join(folder, diffID.replace(':', '-')), new Uint8Array(buffer));
    }
    const program = join(import.meta.dirname, 'open-stored-image.ts');
    const output = await run(process.execPath, ['--import', 'tsx', program, folder, String(layers)]);
    return JSON.parse(output);
  } finally {
    await rm(folder, { recursive: true });
  }
}
