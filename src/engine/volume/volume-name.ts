/** Names of volumes, as Docker's local driver takes them (moby, volume/local). */

import { LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';
import { hexOf } from '../oci/digest.ts';

const ALLOWED = '[a-zA-Z0-9][a-zA-Z0-9_.-]';
/** A file system's own limit, as the name is one there. */
const MAX_LENGTH = 255;

/** The name itself. LayerboxError in Docker's words for one that cannot be. */
export function checkVolumeName(name: string): string {
  const refuse = (why: string) => new LayerboxError(`create ${printableName(name)}: ${why}`, { name });
  if (name.length === 1) {
    throw refuse('volume name is too short, names should be at least two alphanumeric characters');
  }
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw refuse(
      `${JSON.stringify(printableName(name))} includes invalid characters for a local volume name, only "${ALLOWED}" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  if (name.length > MAX_LENGTH) throw refuse('file name too long');
  return name;
}

/** The name of a volume that nobody named: 64 hexadecimal digits. */
export function anonymousName(random: (length: number) => Uint8Array): string {
  return hexOf(random(32));
}
