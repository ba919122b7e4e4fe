/** What Docker's daemon says of what cannot be done, in the words of moby 28.2: not taken from ours, so that ours are compared with them. */

import { ApiError } from './engine-api.ts';

/** moby, daemon/container.go, image/errors, volume/service/errors.go, libnetwork/error.go. */
const MISSING = {
  container: (name: string) => `No such container: ${name}`,
  image: (name: string) => `No such image: ${/[:@]/.test(name) ? name : `${name}:latest`}`,
  volume: (name: string) => `get ${name}: no such volume`,
  network: (name: string) => `network ${name} not found`,
};

export type Kind = keyof typeof MISSING;

export function isMissing(kind: Kind, name: string): ApiError {
  if (kind === 'image' && /[A-Z]/.test(name.replace(/:[^/]*$/, ''))) return isNoReference(name);
  return new ApiError(404, MISSING[kind](name));
}

/** github.com/distribution/reference, normalize.go. */
function isNoReference(name: string): ApiError {
  return new ApiError(400, `invalid reference format: repository name (library/${name}) must be lowercase`);
}

/** moby, daemon/names.go. */
export function nameInUse(name: string, holder: string): ApiError {
  return new ApiError(
    409,
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}

/** moby, daemon/images/image_delete.go: the last name of an image that a container is of. */
export function nameOfUsedImage(name: string, container: string, image: string): ApiError {
  return new ApiError(
    409,
    `conflict: unable to remove repository reference "${name}" (must force) - container ${short(container)} is using its referenced image ${short(image)}`,
  );
}

/** The same, of an image that goes by its ID. */
export function usedImage(image: string, container: string): ApiError {
  return new ApiError(
    409,
    `conflict: unable to delete ${short(image)} (cannot be forced) - image is being used by running container ${short(container)}`,
  );
}

/** moby, volume/service/errors.go, and the client's own word in front. */
export function volumeInUse(name: string, users: readonly string[]): ApiError {
  return new ApiError(409, `remove ${name}: volume is in use - [${users.join(', ')}]`);
}

/** moby, daemon/delete.go. */
export function runningContainer(name: string, state: string): ApiError {
  return new ApiError(
    409,
    `cannot remove container "/${name}": container is ${state}: stop the container before removing or force remove`,
  );
}

/** moby, daemon/errors.go; `doing`: what the daemon was at. */
export function notRunning(id: string, doing = ''): ApiError {
  return new ApiError(409, `${doing}container ${id} is not running`);
}

function short(id: string): string {
  return id.replace('sha256:', '').slice(0, 12);
}
