/**
 * Mounts as the command line says them, read as Docker's daemon reads them (moby, volume/mounts/linux_parser.go): what
 * each is a mount of, or why it cannot be.
 */

import { LayerboxError, NotYetError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { MountSpec } from '../store/container-mount.ts';
import { checkVolumeOptions } from '../volume/volume-options.ts';
import { checkVolumeDriver } from '../volume/volumes.ts';
import { type MountPoint, NO_MOUNT } from './mount-point.ts';
import { specTmpfsOptions } from './tmpfs-options.ts';

const MODE_KINDS: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['z', 'Z'],
  ['shared', 'rshared', 'slave', 'rslave', 'private', 'rprivate'],
  ['nocopy'],
  ['consistent', 'cached', 'delegated', 'default'],
];
const PROPAGATIONS: readonly string[] = MODE_KINDS[2] ?? [];

/** `a/./b//../c` as `a/c`, as Go's path.Clean; an empty path is `.`. */
export function cleanPath(path: string): string {
  const isAbsolute = path.startsWith('/');
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.length > 0 && names.at(-1) !== '..') names.pop();
    else if (!isAbsolute) names.push('..');
  }
  const clean = names.join('/');
  return isAbsolute ? `/${clean}` : clean || '.';
}

/** The mount of a `-v SOURCE:DESTINATION[:MODE]`. LayerboxError in Docker's words. */
export function bindMount(raw: string, volumeDriver: string): MountPoint {
  const invalid = `invalid volume specification: '${printableName(raw)}'`;
  const refuse = (why = '') =>
    new LayerboxError(why === '' ? invalid : `${invalid}: ${why}`, { volume: raw });
  const parts = raw.split(':');
  const [source = '', target = '', mode = ''] = parts;
  if (source === '' || parts.length < 2 || parts.length > 3) throw refuse();
  if (parts.length === 2 && isMode(target)) throw refuse();
  if (parts.length === 3 && !isMode(mode)) {
    throw new LayerboxError(`invalid mode: ${printableName(mode)}`, { volume: raw });
  }
  const words = mode.split(',');
  const propagation = words.find((word) => PROPAGATIONS.includes(word)) ?? '';
  const isBind = source.startsWith('/');
  if (!isBind) checkVolumeDriver(volumeDriver, source);
  const fault = targetFault(target);
  const type = isBind ? 'bind' : 'volume';
  if (fault !== undefined) throw refuse(`invalid mount config for type "${type}": ${fault}`);
  if (isBind && words.includes('nocopy')) throw new LayerboxError(`invalid mode: ${mode}`, { volume: raw });
  return {
    ...NO_MOUNT,
    type,
    name: isBind ? '' : source,
    source: isBind ? cleanPath(source) : '',
    destination: cleanPath(target),
    readOnly: words.includes('ro'),
    // what Docker's daemon puts where a volume's mode is empty
    mode: isBind || mode !== '' ? mode : 'z',
    propagation: isBind ? propagation || 'rprivate' : '',
    copies: !isBind && !words.includes('nocopy'),
  };
}

/** A list of words of which each kind is there at most once. */
export function isMode(mode: string): boolean {
  if (mode === '') return true;
  const seen = new Set<number>();
  return mode.split(',').every((word) => {
    const kind = MODE_KINDS.findIndex((words) => words.includes(word));
    if (kind < 0 || seen.has(kind)) return false;
    seen.add(kind);
    return true;
  });
}

function targetFault(target: string): string | undefined {
  if (target === '') return 'field Target must not be empty';
  const clean = cleanPath(target);
  if (clean === '/') return "invalid specification: destination can't be '/'";
  if (!clean.startsWith('/'))
    return `invalid mount path: '${printableName(target)}' mount path must be absolute`;
  return undefined;
}

/** The mount of a `--mount`. LayerboxError in Docker's words; NotYetError for what Docker has and Layerbox has not. */
export function specMount(spec: MountSpec): MountPoint {
  const refuse = (why: string) =>
    new LayerboxError(`invalid mount config for type ${JSON.stringify(printableName(spec.type))}: ${why}`, {
      target: spec.target,
    });
  const fault = targetFault(spec.target);
  if (fault !== undefined) throw refuse(fault);
  const point = { ...NO_MOUNT, destination: cleanPath(spec.target), readOnly: spec.readOnly };
  if (spec.type === 'bind') {
    const { propagation = '', nonRecursive = false, readOnlyNonRecursive = false } = spec.bind ?? {};
    if (spec.source === '') throw refuse('field Source must not be empty');
    if (propagation !== '' && !PROPAGATIONS.includes(propagation)) {
      throw refuse(`invalid propagation mode: ${printableName(propagation)}`);
    }
    if (!spec.source.startsWith('/')) {
      throw refuse(`invalid mount path: '${printableName(spec.source)}' mount path must be absolute`);
    }
    const options = [
      'mustexist',
      ...(nonRecursive ? ['nonrecursive'] : []),
      ...(readOnlyNonRecursive ? ['nonrecursivero'] : []),
    ];
    return {
      ...point,
      type: 'bind',
      source: cleanPath(spec.source),
      propagation: propagation || 'rprivate',
      options: options.join(','),
    };
  }
  if (spec.type === 'volume') {
    const { noCopy = false, labels = {}, subpath = '', driver = '', options = {} } = spec.volume ?? {};
    if (spec.source === '' && spec.readOnly) {
      throw refuse('must not set ReadOnly mode when using anonymous volumes');
    }
    if (subpath !== '' && !isLocalPath(subpath)) {
      throw refuse(`invalid Subpath: path ${JSON.stringify(printableName(subpath))} is not a local path`);
    }
    checkVolumeDriver(driver, spec.source);
    checkVolumeOptions(spec.source, options);
    return {
      ...point,
      type: 'volume',
      name: spec.source,
      subpath,
      labels,
      driverOptions: options,
      copies: !noCopy,
      mode: 'z',
    };
  }
  if (spec.type === 'tmpfs') {
    if (spec.source !== '') throw refuse('field Source must not be specified');
    return { ...point, type: 'tmpfs', options: specTmpfsOptions(spec.tmpfs, spec.readOnly) };
  }
  if (['image', 'npipe', 'cluster'].includes(spec.type)) {
    throw new NotYetError(`mounts of the type ${spec.type} are not yet supported by Layerbox`, {
      type: spec.type,
    });
  }
  throw refuse('mount type unknown');
}

/** As Go's filepath.IsLocal: relative, and never outside. */
function isLocalPath(path: string): boolean {
  if (path.startsWith('/')) return false;
  const clean = cleanPath(path);
  return clean !== '..' && !clean.startsWith('../');
}

/** The mount of a path that the image or `-v PATH` says is a volume. LayerboxError in Docker's words. */
export function volumePath(path: string): MountPoint {
  const fault = targetFault(path);
  if (fault !== undefined) {
    throw new LayerboxError(`invalid volume specification: '${printableName(path)}': ${fault}`, { path });
  }
  return { ...NO_MOUNT, destination: cleanPath(path), copies: true };
}

/** A name or ID and the mode of a `--volumes-from NAME[:MODE]`. LayerboxError in Docker's words. */
export function volumesFrom(text: string): { readonly container: string; readonly readOnly: boolean } {
  if (text === '') throw new LayerboxError('volumes-from specification cannot be an empty string');
  const colon = text.indexOf(':');
  const container = colon < 0 ? text : text.slice(0, colon);
  const mode = colon < 0 ? 'rw' : text.slice(colon + 1);
  const words = mode.split(',');
  // propagation and copying are as they were where the mounts come from
  if (!isMode(mode) || words.some((word) => PROPAGATIONS.includes(word) || word === 'nocopy')) {
    throw new LayerboxError(`invalid mode: ${printableName(mode)}`, { volumesFrom: text });
  }
  return { container, readOnly: words.includes('ro') };
}
