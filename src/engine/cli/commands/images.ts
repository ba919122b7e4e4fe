import { fullName, parseReference } from '../../oci/reference.ts';
import type { ImageRecord } from '../../store/records.ts';
import type { Command } from '../command.ts';
import type { DockerHost } from '../docker-host.ts';
import { FILTER_FLAG, matchesPattern, parseFilters } from '../filter.ts';
import { formatDuration, formatSize, formatTime, truncateID } from '../format.ts';
import { LIST_FORMAT_FLAG, printListing, type Row } from '../format-flag.ts';
import { type ImageName, imageName, NONE } from '../image-name.ts';

const HEADERS = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Platform: 'PLATFORM',
  Containers: 'CONTAINERS',
};

export const images: Command = {
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  summary: 'List images',
  aliases: ['docker image ls', 'docker image list', 'docker images'],
  flags: [
    { long: 'all', short: 'a', type: 'bool', help: 'Show all images (default hides intermediate images)' },
    { long: 'digests', type: 'bool', help: 'Show digests' },
    FILTER_FLAG,
    LIST_FORMAT_FLAG,
    { long: 'no-trunc', type: 'bool', help: "Don't truncate output" },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Only show image IDs' },
  ],
  later: ['tree'],
  wordCount: { min: 0, max: 1 },
  run: async ({ words, flags, host, print }) => {
    const filters = parseFilters(flags.list('filter'), ['reference', 'dangling', 'label']);
    const named = (await host.images.list()).map((record) => ({ record, name: imageName(record) }));
    const [wanted] = words;
    const shown = named.filter(({ name }) => {
      if (wanted !== undefined && !isNamed(name, wanted)) return false;
      const patterns = filters.get('reference');
      if (patterns?.some((pattern) => fitsReference(pattern, name)) === false) return false;
      const dangling = filters.get('dangling')?.at(-1);
      return (
        dangling === undefined || (name.tag === NONE && name.repository === NONE) === (dangling === 'true')
      );
    });
    const labels = filters.get('label') ?? [];
    const rows: { readonly createdAt: number; readonly row: Row }[] = [];
    for (const { record, name } of shown) {
      const config = await host.images.config(record);
      if (!labels.every((label) => hasLabel(config.config.labels, label))) continue;
      const createdAt = config.created === undefined ? 0 : Date.parse(config.created);
      rows.push({ createdAt, row: await rowOf(host, record, name, createdAt, !flags.bool('no-trunc')) });
    }
    rows.sort((a, b) => b.createdAt - a.createdAt);
    const digests = flags.bool('digests') ? ['Digest'] : [];
    await printListing(print, {
      rows: unrepeated(
        rows.map(({ row }) => row),
        flags.bool('quiet'),
      ),
      headers: HEADERS,
      columns: ['Repository', 'Tag', ...digests, 'ID', 'CreatedSince', 'Size'],
      format: flags.string('format'),
      ...(flags.bool('quiet') && { only: 'ID' }),
    });
    return 0;
  },
};

/** The word of `docker images busybox:1.36`: a repository, all of its tags unless one is named. */
function isNamed(name: ImageName, wanted: string): boolean {
  if (name.full === '') return false;
  if (/[*?[]/.test(wanted)) return fitsReference(wanted, name);
  const reference = parseReference(wanted);
  if (fullName(reference) !== name.full) return false;
  return /:[^/]+$/.test(wanted) ? reference.tag === name.tag : true;
}

function fitsReference(pattern: string, { repository, tag }: ImageName): boolean {
  return matchesPattern(pattern, repository) || matchesPattern(pattern, `${repository}:${tag}`);
}

function hasLabel(labels: Readonly<Record<string, string>>, text: string): boolean {
  const equals = text.indexOf('=');
  if (equals < 0) return Object.hasOwn(labels, text);
  return labels[text.slice(0, equals)] === text.slice(equals + 1);
}

async function rowOf(
  host: DockerHost,
  record: ImageRecord,
  { repository, tag }: ImageName,
  createdAt: number,
  truncate: boolean,
): Promise<Row> {
  const users = host.containers.list().filter((container) => container.imageID === record.imageID);
  const { os, architecture } = record.platform;
  return {
    Repository: repository,
    Tag: tag,
    Digest: record.target.digest,
    ID: truncate ? truncateID(record.imageID) : record.imageID,
    CreatedSince: createdAt === 0 ? 'N/A' : `${formatDuration(host.now() - createdAt)} ago`,
    CreatedAt: createdAt === 0 ? 'N/A' : formatTime(createdAt),
    Size: formatSize(await host.images.size(record)),
    Platform: `${os}/${architecture}`,
    Containers: String(users.length),
  };
}

/** `docker images -q` names an image once, whatever names it has. */
function unrepeated(rows: readonly Row[], quiet: boolean): readonly Row[] {
  if (!quiet) return rows;
  const seen = new Set<string | undefined>();
  return rows.filter((row) => !seen.has(row.ID) && seen.add(row.ID));
}
