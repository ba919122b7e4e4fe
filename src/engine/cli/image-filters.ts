/** Which images `docker images` shows: a name, and the filters of Docker's daemon. */

import { InvalidReferenceError } from '../errors.ts';
import { creationTime } from '../image/creation-time.ts';
import type { ImageConfig } from '../oci/config.ts';
import { fullName, parseReference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/records.ts';
import type { DockerHost } from './docker-host.ts';
import { booleanFilter, type Filters, filterTime, fitsLabels, matchesPath, parseFilters } from './filter.ts';
import { type ImageName, imageName } from './image-name.ts';

const NAMES = ['reference', 'dangling', 'label', 'before', 'since', 'until'];

/** A name of an image that is shown. */
export interface ShownImage {
  readonly record: ImageRecord;
  readonly name: ImageName;
  readonly config: ImageConfig;
  /** Milliseconds since 1970; 0 when it is not known. */
  readonly createdAt: number;
}

export interface ImageSelection {
  /** Newest first. */
  readonly images: readonly ShownImage[];
  /** Undefined: images without a name are neither asked for nor excluded. */
  readonly dangling: boolean | undefined;
}

/** LayerboxError in Docker's words for filters that are none; NoSuchImage for `before` and `since`. */
export async function selectImages(
  host: DockerHost,
  wanted: string | undefined,
  texts: readonly string[],
): Promise<ImageSelection> {
  const filters = parseFilters(texts, NAMES);
  const dangling = booleanFilter(filters, 'dangling');
  const isInTime = await timeFilter(host, filters);
  const images: ShownImage[] = [];
  for (const record of await host.images.list()) {
    const name = imageName(record);
    if (wanted !== undefined && !isNamed(name, wanted)) continue;
    const patterns = filters.get('reference');
    if (patterns?.some((pattern) => fitsReference(pattern, name)) === false) continue;
    if (dangling !== undefined && (name.full === '') !== dangling) continue;
    const config = await host.images.config(record);
    const createdAt = creationTime(config);
    if (!fitsLabels(filters, config.config.labels) || !isInTime(createdAt)) continue;
    images.push({ record, name, config, createdAt });
  }
  // the names of one image stay together
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  images.sort((a, b) => b.createdAt - a.createdAt || compare(a.record.imageID, b.record.imageID));
  return { images, dangling };
}

/** `before` and `since` name images, `until` a time. */
async function timeFilter(host: DockerHost, filters: Filters): Promise<(createdAt: number) => boolean> {
  const timeOf = async (image: string) =>
    creationTime(await host.images.config(await host.images.resolve(image)));
  const before = await Promise.all((filters.get('before') ?? []).map(timeOf));
  const since = await Promise.all((filters.get('since') ?? []).map(timeOf));
  const until = (filters.get('until') ?? []).map((text) => filterTime(text, host.now()));
  return (createdAt) =>
    before.every((time) => createdAt < time) &&
    since.every((time) => createdAt > time) &&
    until.every((time) => createdAt < time);
}

/** The word of `docker images busybox:1.36`: a repository, all of its tags unless one is named; or a pattern. */
function isNamed(name: ImageName, wanted: string): boolean {
  if (name.full === '') return false;
  if (/[*?[]/.test(wanted)) return fitsReference(wanted, name);
  // to Docker's daemon it is a pattern like any other
  if (!isReference(wanted)) return fitsReference(wanted, name);
  const reference = parseReference(wanted);
  if (fullName(reference) !== name.full) return false;
  return /:[^/]+$/.test(wanted) ? reference.tag === name.tag : true;
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (error instanceof InvalidReferenceError) return false;
    throw error;
  }
}

function fitsReference(pattern: string, { repository, tag, full }: ImageName): boolean {
  if (full === '') return false;
  return matchesPath(pattern, repository) || matchesPath(pattern, `${repository}:${tag}`);
}
