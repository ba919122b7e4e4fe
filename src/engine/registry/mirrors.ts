/** Mirrors: places to ask for the images of a registry, or of a part of it, before itself. */

import { InvalidReferenceError } from '../errors.ts';

/** As `mirrors` of the sandbox's options has it. */
export type Mirrors = Readonly<Record<string, string | readonly string[]>>;

export interface Mirror {
  /** What it mirrors: a registry, or one and the beginning of its repositories' names. */
  readonly key: string;
  readonly kind: 'registry' | 'layout';
  /** Its URL: of a layout with a slash at the end, of a registry with none. */
  readonly base: string;
}

/** Each of them, in order. Throws InvalidReferenceError for a mirror that is no URL. */
export function parseMirrors(mirrors: Mirrors): readonly Mirror[] {
  return Object.entries(mirrors).flatMap(([key, values]) =>
    (typeof values === 'string' ? [values] : values).map((value) => mirrorOf(key, value)),
  );
}

/** Mirrors of both; where a key is in both, those of the first are asked first. */
export function joinMirrors(first: Mirrors, second: Mirrors): Mirrors {
  const joined = new Map<string, readonly string[]>();
  for (const [key, values] of [...Object.entries(first), ...Object.entries(second)]) {
    joined.set(key, [...(joined.get(key) ?? []), ...(typeof values === 'string' ? [values] : values)]);
  }
  return Object.fromEntries(joined);
}

function mirrorOf(key: string, value: string): Mirror {
  const isLayout = value.startsWith('layout:');
  const text = isLayout ? value.slice('layout:'.length) : value;
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw invalidMirror(key, value, cause);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw invalidMirror(key, value, undefined);
  const address = `${url.origin}${url.pathname}`;
  const bare = address.replace(/\/+$/, '');
  const name = key.replace(/\/+$/, '').replace(/^index\.docker\.io(?=\/|$)/, 'docker.io');
  return isLayout
    ? { key: name, kind: 'layout', base: `${bare}/` }
    : { key: name, kind: 'registry', base: bare.replace(/\/v2$/, '') };
}

function invalidMirror(key: string, value: string, cause: unknown): Error {
  return new InvalidReferenceError(
    `invalid mirror ${JSON.stringify(value)} for ${JSON.stringify(key)}: it must be the URL of a registry (https://mirror.example) or of an OCI image layout (layout:https://example.org/registry/)`,
    { key, value },
    { cause },
  );
}
