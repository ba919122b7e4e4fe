/** Which Docker the words, flags and layouts are those of. */

/** Layerbox's own version. */
export const LAYERBOX_VERSION = '0.1.0';
/** The client whose words are followed. */
export const DOCKER_VERSION = '28.2.2';
export const API_VERSION = '1.50';

/** `docker --version` */
export function clientVersion(): string {
  return `Docker version ${DOCKER_VERSION}, build layerbox-${LAYERBOX_VERSION}`;
}
