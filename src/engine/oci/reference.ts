/**
 * References as Docker reads them: the grammar of the distribution project's
 * `reference` package, and its normalisation of short names.
 *
 *     reference := name [":" tag] ["@" digest]
 *     name      := [domain "/"] component ["/" component]*
 */

import { InvalidReferenceError } from '../errors.ts';
import type { Digest } from './digest.ts';

/** A normalised reference: `busybox` has become docker.io, library/busybox, latest. */
export interface Reference {
  /** Host, and port when there is one: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Path within the registry: `library/busybox`. */
  readonly repository: string;
  /** `latest` when neither tag nor digest was given. */
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_REGISTRY = 'docker.io';
const LEGACY_REGISTRY = 'index.docker.io';
const OFFICIAL_NAMESPACE = 'library/';
const DEFAULT_TAG = 'latest';
const REPOSITORY_LIMIT = 255;

const domain =
  '(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?';
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';

const domainPattern = new RegExp(`^${domain}$`);
const remainderPattern = new RegExp(
  `^(?<repository>${component}(?:/${component})*)(?::(?<tag>${tag}))?(?:@(?<digest>${digest}))?$`,
);

/**
 * The reference that the text means. InvalidReferenceError, in Docker's words,
 * for what is none: upper case in the repository, a name that could be an image
 * ID, a repository of more than 255 characters, a digest of another length.
 */
export function parseReference(text: string): Reference {
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw invalid(text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { registry, remainder } = splitRegistry(text);
  const colon = remainder.indexOf(':');
  const named = colon === -1 ? remainder : remainder.slice(0, colon);
  if (named.toLowerCase() !== named) {
    throw invalid(text, `invalid reference format: repository name (${named}) must be lowercase`);
  }
  const groups = remainderPattern.exec(remainder)?.groups;
  const repository = groups?.repository;
  if (repository === undefined || !domainPattern.test(registry)) {
    throw invalid(text, 'invalid reference format');
  }
  if (repository.length > REPOSITORY_LIMIT) {
    throw invalid(text, `repository name must not be more than ${REPOSITORY_LIMIT} characters`);
  }
  const digest = groups?.digest === undefined ? undefined : checkDigest(text, groups.digest);
  const tag = groups?.tag ?? (digest === undefined ? DEFAULT_TAG : undefined);
  return {
    registry,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/** The part before the first "/" is a registry only when it can be no namespace: it has a dot, a colon or upper case, or is localhost. */
function splitRegistry(text: string): { registry: string; remainder: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isRegistry =
    slash !== -1 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  let registry = isRegistry ? first : DEFAULT_REGISTRY;
  let remainder = isRegistry ? text.slice(slash + 1) : text;
  if (registry === LEGACY_REGISTRY) registry = DEFAULT_REGISTRY;
  if (registry === DEFAULT_REGISTRY && !remainder.includes('/')) remainder = OFFICIAL_NAMESPACE + remainder;
  return { registry, remainder };
}

function checkDigest(text: string, digest: string): Digest {
  const colon = digest.indexOf(':');
  const algorithm = digest.slice(0, colon);
  const hex = digest.slice(colon + 1);
  if (algorithm !== 'sha256' && algorithm !== 'sha512') throw invalid(text, 'unsupported digest algorithm');
  if (hex.length !== (algorithm === 'sha256' ? 64 : 128)) {
    throw invalid(text, 'invalid checksum digest length');
  }
  if (!/^[0-9a-f]+$/.test(hex)) throw invalid(text, 'invalid checksum digest format');
  return `${algorithm}:${hex}`;
}

function invalid(text: string, message: string): Error {
  return new InvalidReferenceError(message, { reference: text });
}

/** `docker.io/library/busybox`: the name without tag and digest. */
export function fullName(reference: Pick<Reference, 'registry' | 'repository'>): string {
  return `${reference.registry}/${reference.repository}`;
}

/**
 * `docker.io/library/busybox:latest`, or `docker.io/library/busybox@sha256:...`
 * for one with a digest, whose tag says nothing then: the ID of an image record.
 */
export function formatReference(reference: Reference): string {
  return `${fullName(reference)}${suffix(reference)}`;
}

/** `busybox`, `grafana/loki`, `ghcr.io/org/name`: the name as Docker shows it. */
export function familiarName(reference: Pick<Reference, 'registry' | 'repository'>): string {
  if (reference.registry !== DEFAULT_REGISTRY) return fullName(reference);
  const { repository } = reference;
  const official = repository.startsWith(OFFICIAL_NAMESPACE)
    ? repository.slice(OFFICIAL_NAMESPACE.length)
    : undefined;
  return official === undefined || official.includes('/') ? repository : official;
}

/** `busybox:latest`, `busybox@sha256:...`: the reference as Docker shows it. */
export function familiarReference(reference: Reference): string {
  return `${familiarName(reference)}${suffix(reference)}`;
}

function suffix(reference: Reference): string {
  if (reference.digest !== undefined) return `@${reference.digest}`;
  return `:${reference.tag ?? DEFAULT_TAG}`;
}
