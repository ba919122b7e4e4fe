import type { ContainerMount } from '../store/container-mount.ts';

/** A mount before its volume is there. */
export interface MountPoint extends Omit<ContainerMount, 'isAnonymous'> {
  /** What the image has at its place is copied into it, when it is an empty volume. */
  readonly copies: boolean;
  /** Labels of a volume that is made for it. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of a volume that is made for it, as its driver takes them. */
  readonly driverOptions: Readonly<Record<string, string>>;
}

/** Of a volume without a name, at no place. */
export const NO_MOUNT: MountPoint = {
  type: 'volume',
  name: '',
  source: '',
  destination: '',
  readOnly: false,
  mode: '',
  propagation: '',
  subpath: '',
  options: '',
  copies: false,
  labels: {},
  driverOptions: {},
};
