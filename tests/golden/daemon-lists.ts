/** What the daemon lists: containers, images, volumes, networks, history, usage. */

import { bytesOf, type Daemon, type Document, fields, filterFlags, seconds } from './daemon.ts';

export async function containers(daemon: Daemon, query: URLSearchParams): Promise<readonly Document[]> {
  const limit = Number(query.get('limit') ?? '0');
  const ids = await daemon.lines(
    ...['ps', '-q', '--no-trunc', ...filterFlags(query)],
    ...(query.get('all') === '1' ? ['-a'] : []),
    ...(limit > 0 ? ['-n', String(limit)] : []),
  );
  return Promise.all(ids.map((id) => summaryOf(daemon, id, query.get('size') === '1')));
}

/** IDs of the containers of this very image: the filter `ancestor` fits those of images built on it too. */
export async function usersOf(
  daemon: Daemon,
  image: string,
  { all }: { readonly all: boolean },
): Promise<readonly string[]> {
  const found = await containers(daemon, new URLSearchParams(all ? 'all=1' : ''));
  return found.filter(({ ImageID }) => ImageID === image).map(({ Id }) => String(Id));
}

async function summaryOf(daemon: Daemon, id: string, sized: boolean): Promise<Document> {
  const [row = {}] = await daemon.rows('ps', '-a', '--no-trunc', '--filter', `id=${id}`);
  const document = await daemon.inspect('container', id, sized);
  const network = fields(document.NetworkSettings);
  return {
    Id: id,
    Names: [document.Name],
    Image: row.Image,
    ImageID: document.Image,
    Command: JSON.parse(row.Command ?? '""'),
    Created: seconds(document.Created),
    Ports: portsOf(fields(network.Ports)),
    Labels: fields(document.Config).Labels,
    State: fields(document.State).Status,
    Status: row.Status,
    HostConfig: { NetworkMode: fields(document.HostConfig).NetworkMode },
    NetworkSettings: { Networks: network.Networks },
    Mounts: document.Mounts,
    ImageManifestDescriptor: { platform: row.Platform },
    ...(sized && { SizeRw: document.SizeRw, SizeRootFs: document.SizeRootFs }),
  };
}

function portsOf(ports: Document): readonly Document[] {
  return Object.entries(ports).flatMap(([name, bindings]) => {
    const [number, Type] = name.split('/');
    const port = { PrivatePort: Number(number), Type };
    if (!Array.isArray(bindings)) return [port];
    return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp, ...port, PublicPort: Number(HostPort) }));
  });
}

export async function images(daemon: Daemon, query: URLSearchParams): Promise<readonly Document[]> {
  const ids = await daemon.lines(
    ...['images', '-q', '--no-trunc', ...filterFlags(query)],
    ...(query.get('all') === '1' ? ['-a'] : []),
  );
  return Promise.all(
    ids.map(async (id) => {
      const document = await daemon.inspect('image', id);
      return {
        Id: id,
        ParentId: '',
        RepoTags: document.RepoTags,
        RepoDigests: document.RepoDigests,
        Created: seconds(document.Created),
        Size: document.Size,
        SharedSize: -1,
        Labels: fields(document.Config).Labels,
        Containers: -1,
      };
    }),
  );
}

export async function volumes(daemon: Daemon, query: URLSearchParams): Promise<readonly Document[]> {
  const names = await daemon.lines('volume', 'ls', '-q', ...filterFlags(query));
  return Promise.all(names.map((name) => daemon.inspect('volume', name)));
}

export async function networks(daemon: Daemon, query: URLSearchParams): Promise<readonly Document[]> {
  const ids = await daemon.lines('network', 'ls', '-q', '--no-trunc', ...filterFlags(query));
  return Promise.all(ids.map((id) => daemon.inspect('network', id)));
}

export async function history(daemon: Daemon, name: string): Promise<readonly Document[]> {
  await daemon.inspect('image', name);
  const rows = await daemon.rows('history', '--no-trunc', '-H=false', name);
  return rows.map(({ ID, CreatedAt = '', CreatedBy, Size, Comment }) => {
    const Created = CreatedAt === '' ? 0 : seconds(CreatedAt);
    return { Id: ID, Created, CreatedBy, Size: Number(Size), Comment, Tags: null };
  });
}

export async function usage(daemon: Daemon): Promise<Document> {
  const layers = new Map<string, { readonly size: number; readonly images: Set<string> }>();
  for (const image of await daemon.sandbox.engine.images()) {
    for (const { diffID, size } of image.layers) {
      const layer = layers.get(diffID) ?? { size, images: new Set() };
      layers.set(diffID, layer);
      layer.images.add(image.id);
    }
  }
  const all = [...layers.values()];
  const sum = (some: typeof all) => some.reduce((bytes, { size }) => bytes + size, 0);
  const listed = await images(daemon, new URLSearchParams('all=1'));
  const users = await Promise.all(listed.map(({ Id }) => usersOf(daemon, String(Id), { all: true })));
  return {
    LayersSize: sum(all),
    Images: listed.map((image, index) => ({
      ...image,
      SharedSize: sum(all.filter((layer) => layer.images.size > 1 && layer.images.has(String(image.Id)))),
      Containers: users[index]?.length ?? 0,
    })),
    Containers: await containers(daemon, new URLSearchParams('all=1&size=1')),
    Volumes: await volumesWithSizes(daemon),
    BuildCache: [],
  };
}

async function volumesWithSizes(daemon: Daemon): Promise<readonly Document[]> {
  const text = await daemon.docker('system', 'df', '-v', '--format', '{{json .Volumes}}');
  const rows: readonly Readonly<Record<string, string>>[] = JSON.parse(text);
  return Promise.all(
    rows.map(async ({ Name = '', Links, Size = '' }) => ({
      ...(await daemon.inspect('volume', Name)),
      UsageData: { RefCount: Number(Links), Size: bytesOf(Size) },
    })),
  );
}
