/** Chain IDs: one name for a stack of layers (image-spec, config.md, "Layer ChainID"). */

import { type DiffID, type Digest, digestOf } from './digest.ts';

/** The chain ID of each layer with all below it, bottom first: one for each diffID. */
export async function chainIDs(diffIDs: readonly DiffID[]): Promise<readonly Digest[]> {
  const encoder = new TextEncoder();
  const chain: Digest[] = [];
  for (const diffID of diffIDs) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffID : await digestOf(encoder.encode(`${below} ${diffID}`)));
  }
  return chain;
}
