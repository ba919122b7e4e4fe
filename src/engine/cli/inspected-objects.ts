/** What `docker inspect` can look at, kind by kind: how each is found, and what its type is. */

import { InvalidReferenceError, NoSuchContainerError, NoSuchImageError } from '../errors.ts';
import { containerDocument } from './container-document.ts';
import type { DockerHost } from './docker-host.ts';
import type { GoType } from './go-types.ts';
import { CONTAINER_TYPE, IMAGE_TYPE } from './inspect-types.ts';
import { NETWORK } from './network-document.ts';
import { VOLUME } from './volume-document.ts';

export interface InspectedKind {
  readonly name: 'container' | 'image' | 'network' | 'volume';
  readonly type: GoType;
  /** The document of what the word names. Throws what the engine throws. */
  find(host: DockerHost, word: string, sized: boolean): Promise<unknown>;
  /** True for what `find` throws when there is none. */
  isMissing(error: unknown): boolean;
}

export const CONTAINER: InspectedKind = {
  name: 'container',
  type: CONTAINER_TYPE,
  find: async (host, word, sized) => containerDocument(host, host.containers.resolve(word), sized),
  isMissing: (error) => error instanceof NoSuchContainerError,
};

export const IMAGE: InspectedKind = {
  name: 'image',
  type: IMAGE_TYPE,
  find: async (host, word) => host.images.inspect(await host.images.resolve(word)),
  isMissing: (error) => error instanceof NoSuchImageError || error instanceof InvalidReferenceError,
};

/** In the order in which `docker inspect` looks for a name of which no kind is said. */
export const KINDS: readonly InspectedKind[] = [CONTAINER, IMAGE, NETWORK, VOLUME];
