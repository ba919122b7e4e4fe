/**
 * Options of the driver `local` (moby, volume/local/local_unix.go): a volume that has some is a mount of something else
 * than files of its own.
 */

import { LayerboxError, NotYetError } from '../errors.ts';
import { printableName } from '../names.ts';

/** `type`, `device`, `o`; empty for a volume of its own files. */
export type VolumeOptions = Readonly<Record<string, string>>;

/** What is mounted in place of the volume's own files. */
export type DeviceMount =
  | {
      readonly kind: 'bind';
      /** A path of the host. */
      readonly source: string;
      readonly isRecursive: boolean;
      readonly readOnly: boolean;
    }
  | {
      readonly kind: 'tmpfs';
      readonly device: string;
      /** As mount(8) takes them. */
      readonly options: string;
    };

const KNOWN = ['type', 'o', 'device', 'size'];
/** Each with those that it does not go without. */
const NEEDED: readonly (readonly [string, readonly string[]])[] = [
  ['device', ['type']],
  ['type', ['device']],
  ['o', ['device', 'type']],
];
const BINDS = ['bind', 'rbind'];
const BIND_OPTIONS = [...BINDS, 'ro', 'rw', ''];

/** LayerboxError in Docker's words for options that cannot be; NotYetError for what Docker has and Layerbox has not. */
export function checkVolumeOptions(name: string, options: VolumeOptions): void {
  const subject = name === '' ? '' : `create ${printableName(name)}: `;
  const refuse = (why: string) => new LayerboxError(`${subject}${why}`, { volume: name });
  for (const option of Object.keys(options)) {
    if (!KNOWN.includes(option)) throw refuse(`invalid option: ${JSON.stringify(printableName(option))}`);
  }
  if (Object.hasOwn(options, 'size')) throw refuse('quota size requested but no quota support');
  for (const [option, needed] of NEEDED) {
    const missing = needed.find((other) => !Object.hasOwn(options, other));
    if (Object.hasOwn(options, option) && missing !== undefined) {
      throw refuse(`missing required option: ${JSON.stringify(missing)}`);
    }
  }
  if (Object.keys(options).length === 0) return;
  const { type = '' } = options;
  const words = wordsOf(options);
  if (!words.some((word) => BINDS.includes(word))) {
    if (type === 'tmpfs') return;
    throw new NotYetError(`volumes of the type ${printableName(type)} are not yet supported by Layerbox`, {
      type,
    });
  }
  const other = words.find((word) => !BIND_OPTIONS.includes(word));
  if (other === undefined) return;
  throw new NotYetError(
    `the mount option ${printableName(other)} of a volume that is a bind is not yet supported by Layerbox`,
    { option: other },
  );
}

/** Undefined: the volume has files of its own. Of options that were checked. */
export function deviceMount(options: VolumeOptions = {}): DeviceMount | undefined {
  const { type, device } = options;
  if (type === undefined || device === undefined) return undefined;
  const words = wordsOf(options);
  if (!words.some((word) => BINDS.includes(word))) {
    return { kind: 'tmpfs', device, options: options.o ?? '' };
  }
  return {
    kind: 'bind',
    source: device,
    isRecursive: words.includes('rbind'),
    readOnly: words.includes('ro'),
  };
}

function wordsOf({ o = '' }: VolumeOptions): readonly string[] {
  return o.split(',');
}
