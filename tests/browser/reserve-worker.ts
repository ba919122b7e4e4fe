/** The reserve of a sandbox in a worker, as the engine has it: only there files can be resized. */

import { expose } from 'comlink';
import { ReserveFile } from '../../src/storage/reserve-file.ts';

const opened = async (sandbox: string) => {
  const reserve = await ReserveFile.open(sandbox);
  if (reserve === undefined) throw new Error('this worker has no private files');
  return reserve;
};

const surface = {
  hold: async (sandbox: string, bytes: number) => (await opened(sandbox)).hold(bytes),
  release: async (sandbox: string) => (await opened(sandbox)).release(),
};
export type ReserveWorker = typeof surface;

expose(surface);
