/** Which containers `docker ps` shows: the filters of Docker's daemon. */

import { LayerboxError, NoSuchImageError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerDocument, mountsOf, networksOf, portsOf } from './container-document.ts';
import type { DockerHost } from './docker-host.ts';
import { type Filters, fitsLabels, invalidFilter, matchesText, parseFilters } from './filter.ts';

const NAMES = [
  ...['id', 'name', 'label', 'label!', 'exited', 'status', 'ancestor', 'before', 'since'],
  ...['volume', 'network', 'publish', 'expose', 'health'],
];
const STATES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];
const HEALTH = ['starting', 'healthy', 'unhealthy', 'none'];

export interface ContainerFilter {
  /** Containers that do not run are asked for. */
  readonly includesStopped: boolean;
  fits(record: ContainerRecord): Promise<boolean>;
}

/** LayerboxError in Docker's words for filters that are none; NoSuchContainer for `before` and `since`. */
export async function containerFilter(host: DockerHost, texts: readonly string[]): Promise<ContainerFilter> {
  const filters = parseFilters(texts, NAMES);
  checkWords(filters, 'status', STATES);
  checkWords(filters, 'health', HEALTH);
  const exited = (filters.get('exited') ?? []).map((value) => {
    if (!/^[+-]?\d+$/.test(value)) {
      const why = `strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`;
      throw new LayerboxError(`invalid filter 'exited=${printableName(value)}': ${why}`, { value });
    }
    return Number(value);
  });
  const before = (filters.get('before') ?? []).map((text) => host.containers.resolve(text));
  const since = (filters.get('since') ?? []).map((text) => host.containers.resolve(text));
  const ancestors = await Promise.all((filters.get('ancestor') ?? []).map((text) => ancestor(host, text)));
  const any = (name: string, matches: (value: string) => boolean) => filters.get(name)?.some(matches) ?? true;
  const publish = portNames(filters, 'publish');
  const expose = portNames(filters, 'expose');
  return {
    includesStopped: filters.has('status'),
    fits: async (record) => {
      const { state } = record;
      const isAsked =
        any('id', (value) => matchesText(value, record.id)) &&
        any('name', (value) => matchesText(value, record.name) || matchesText(value, `/${record.name}`)) &&
        fitsLabels(filters, record.config.labels) &&
        any('status', (value) => state.status === value) &&
        any('health', (value) => (state.health?.status ?? 'none') === value) &&
        (exited.length === 0 || (state.status === 'exited' && exited.includes(state.exitCode))) &&
        (ancestors.length === 0 || ancestors.some((image) => isOfImage(record, image))) &&
        before.every((other) => isBefore(record, other)) &&
        since.every((other) => isBefore(other, record));
      if (!isAsked) return false;
      const document = await containerDocument(host, record, false);
      const mounts = mountsOf(document);
      const networks = networksOf(document);
      const ports = portsOf(document);
      return (
        any('volume', (value) =>
          mounts.some(({ name, destination }) => value === name || value === destination),
        ) &&
        any('network', (value) =>
          [...networks].some(([name, id]) => value === name || (id !== '' && id.startsWith(value))),
        ) &&
        ((publish.size === 0 && expose.size === 0) ||
          ports.some(
            ({ host: published, containerPort, protocol }) =>
              publish.has(`${published?.port}/${protocol}`) || expose.has(`${containerPort}/${protocol}`),
          ))
      );
    },
  };
}

function checkWords(filters: Filters, name: string, known: readonly string[]): void {
  const unknown = filters.get(name)?.find((value) => !known.includes(value));
  if (unknown !== undefined) throw invalidFilter(name, unknown);
}

/** The order in which containers are listed: of those made in the same millisecond, as `Containers.list` has them. */
function isBefore(a: ContainerRecord, b: ContainerRecord): boolean {
  return a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id);
}

/** What a container has of its image. */
type Ancestor = Pick<ContainerRecord, 'imageID' | 'layers'>;

/** Undefined: there is no such image, so that no container is of it. */
async function ancestor(host: DockerHost, text: string): Promise<Ancestor | undefined> {
  try {
    const { imageID, layers } = await host.images.resolve(text);
    return { imageID, layers: layers.map(({ diffID }) => diffID) };
  } catch (error) {
    if (!(error instanceof NoSuchImageError)) throw error;
    // its name may have been taken from it since
    return host.containers.list().find(({ image }) => image === text);
  }
}

/** Of the image, or of one that has more layers on those of it (moby, daemon/containerd, isRootfsChildOf). */
function isOfImage({ imageID, layers }: ContainerRecord, image: Ancestor | undefined): boolean {
  if (image === undefined) return false;
  const isOnIt = layers.length > image.layers.length && image.layers.every((id, i) => id === layers[i]);
  return imageID === image.imageID || isOnIt;
}

/** `80`, `80/udp`, `8000-8080/tcp` as `80/tcp` and so on. LayerboxError. */
function portNames(filters: Filters, name: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const value of filters.get(name) ?? []) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value);
    const [, first = '', last = first, protocol = 'tcp'] = match ?? [];
    if (match === null || Number(last) < Number(first) || Number(last) > 65_535)
      throw invalidFilter(name, value);
    for (let port = Number(first); port <= Number(last); port++) names.add(`${port}/${protocol}`);
  }
  return names;
}
