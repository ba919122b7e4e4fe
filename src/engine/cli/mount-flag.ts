/** `--mount type=volume,source=data,target=/data`, read as Docker's client reads it (docker/cli, opts/mount.go). */

import type { MountSpec } from '../store/container-mount.ts';
import { commaFields } from './comma-fields.ts';
import { parseBool } from './parse.ts';
import { parseBytes } from './quantities.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] };

interface Draft {
  type: string;
  source: string;
  target: string;
  readOnly: boolean;
  consistency: string;
  bind: Mutable<NonNullable<MountSpec['bind']>>;
  volume: Mutable<NonNullable<MountSpec['volume']>>;
  tmpfs: Mutable<NonNullable<MountSpec['tmpfs']>>;
  /** The groups of which an option was given: `bind`, `volume`, `tmpfs`, `image`. */
  readonly groups: Set<string>;
}

/** Keys that may stand without a value. */
const FLAGS = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive']);

/** For `Flag.check`. */
export function mountFault(text: string): string | undefined {
  const parsed = parseMount(text, '/');
  return typeof parsed === 'string' ? parsed : undefined;
}

/** The mount, or what is wrong with it in the words of docker 28.2.2. `cwd`: where a relative source starts. */
export function parseMount(text: string, cwd: string): MountSpec | string {
  const fields = commaFields(text.trim());
  if (typeof fields === 'string') return fields;
  const draft: Draft = {
    type: 'volume',
    source: '',
    target: '',
    readOnly: false,
    consistency: '',
    bind: {
      propagation: '',
      nonRecursive: false,
      readOnlyNonRecursive: false,
      readOnlyForceRecursive: false,
    },
    volume: { noCopy: false, labels: {}, subpath: '', driver: '', options: {} },
    tmpfs: { sizeBytes: 0, mode: 0 },
    groups: new Set(),
  };
  for (const field of fields) {
    const fault = takeField(draft, field, cwd);
    if (fault !== undefined) return fault;
  }
  return wholeFault(draft) ?? specOf(draft);
}

function takeField(draft: Draft, field: string, cwd: string): string | undefined {
  const equals = field.indexOf('=');
  const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  if (equals < 0 && !FLAGS.has(key)) return `invalid field '${field}' must be a key=value pair`;
  const value = equals < 0 ? 'true' : field.slice(equals + 1);
  const group = /^(?:bind|volume|tmpfs|image)(?=-)/.exec(key)?.[0];
  const take = TAKERS[key];
  if (take === undefined) return `unexpected key '${key}' in '${field}'`;
  if (group !== undefined) draft.groups.add(group);
  const isTaken = take(draft, value, cwd);
  if (isTaken === false) return `invalid value for ${key}: ${value}`;
  return typeof isTaken === 'string' ? isTaken : undefined;
}

/** What each key does with its value: false when the value cannot be, or why it cannot. */
type Take = (draft: Draft, value: string, cwd: string) => boolean | string;

function bool(set: (draft: Draft, value: boolean) => void): Take {
  return (draft, text) => {
    const value = parseBool(text);
    if (value === undefined) return false;
    set(draft, value);
    return true;
  };
}

function text(set: (draft: Draft, value: string) => void): Take {
  return (draft, value) => {
    set(draft, value);
    return true;
  };
}

const readOnly = bool((draft, value) => {
  draft.readOnly = value;
});
const source: Take = (draft, value, cwd) => {
  const isRelative = value === '.' || value.startsWith('./');
  draft.source = isRelative ? `${cwd.replace(/\/$/, '')}/${value}` : value;
  return true;
};
const target = text((draft, value) => {
  draft.target = value;
});

const TAKERS: Readonly<Record<string, Take>> = {
  __proto__: null as never,
  type: text((draft, value) => {
    draft.type = value.toLowerCase();
  }),
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  readonly: readOnly,
  ro: readOnly,
  consistency: text((draft, value) => {
    draft.consistency = value.toLowerCase();
  }),
  'bind-propagation': text((draft, value) => {
    draft.bind.propagation = value.toLowerCase();
  }),
  'bind-nonrecursive': bool((draft, value) => {
    draft.bind.nonRecursive = value;
  }),
  'bind-recursive': ({ bind }, value) => {
    if (value === 'disabled') bind.nonRecursive = true;
    else if (value === 'writable') bind.readOnlyNonRecursive = true;
    else if (value === 'readonly') bind.readOnlyForceRecursive = true;
    else if (value !== 'enabled') {
      return `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`;
    }
    return true;
  },
  'volume-subpath': text((draft, value) => {
    draft.volume.subpath = value;
  }),
  'volume-nocopy': bool((draft, value) => {
    draft.volume.noCopy = value;
  }),
  'volume-label': text((draft, value) => {
    draft.volume.labels = withPair(draft.volume.labels, value);
  }),
  'volume-driver': text((draft, value) => {
    draft.volume.driver = value;
  }),
  'volume-opt': text((draft, value) => {
    draft.volume.options = withPair(draft.volume.options, value);
  }),
  'image-subpath': text(() => undefined),
  'tmpfs-size': (draft, value) => {
    const bytes = parseBytes(value);
    if (bytes === undefined || bytes < 0) return false;
    draft.tmpfs.sizeBytes = bytes;
    return true;
  },
  'tmpfs-mode': (draft, value) => {
    if (!/^[0-7]{1,11}$/.test(value)) return false;
    draft.tmpfs.mode = Number.parseInt(value, 8);
    return true;
  },
};

/** A name that is not empty, with what follows the `=`. */
function withPair(pairs: Readonly<Record<string, string>>, text: string): Record<string, string> {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  return name === '' ? pairs : { ...pairs, [name]: equals < 0 ? '' : text.slice(equals + 1) };
}

function wholeFault({ type, target: place, groups, bind, readOnly: isReadOnly }: Draft): string | undefined {
  if (type === '') return 'type is required';
  if (place === '') return 'target is required';
  for (const group of ['volume', 'image', 'bind', 'tmpfs']) {
    if (groups.has(group) && type !== group) {
      return `cannot mix '${group}-*' options with mount type '${type}'`;
    }
  }
  if (!bind.readOnlyForceRecursive) return undefined;
  const needs = (option: string) =>
    `option 'bind-recursive=readonly' requires '${option}' to be specified in conjunction`;
  if (!isReadOnly) return needs('readonly');
  return bind.propagation === 'rprivate' ? undefined : needs('bind-propagation=rprivate');
}

function specOf(draft: Draft): MountSpec {
  const { type, groups } = draft;
  return {
    type,
    source: draft.source,
    target: draft.target,
    readOnly: draft.readOnly,
    ...(draft.consistency !== '' && { consistency: draft.consistency }),
    ...(groups.has('bind') && { bind: draft.bind }),
    ...(groups.has('volume') && { volume: draft.volume }),
    ...(groups.has('tmpfs') && { tmpfs: draft.tmpfs }),
  };
}
