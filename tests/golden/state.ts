/**
 * A sandbox in a state worth showing, and its answers to what the docker client asks of its daemon. The answers are made
 * of what `docker inspect` of ours says, so that the client prints the same things that our commands print.
 */

import type { ProgramCode } from '../unit/container/fake-machine.ts';
import { openSandbox, type TestSandbox } from '../unit/container/sandbox.ts';
import { type Answer, ApiError } from './engine-api.ts';

const HOUR = 3_600_000;

const programs: Record<string, ProgramCode> = {
  sh: async () => 0,
  fail: async () => 3,
  sleep: async (program) => 128 + (await program.killed),
};

/** The same at every call, but for the time: `now` in milliseconds since 1970. */
export async function openState(now: number): Promise<TestSandbox> {
  const sandbox = await openSandbox({ programs });
  const { clock } = sandbox;
  const at = async (ago: number, ...argv: readonly string[]) => {
    clock.now = now - ago;
    const { code, err } = await sandbox.docker(argv);
    if (err !== '') throw new Error(`docker ${argv.join(' ')}: ${code} ${err}`);
  };
  await at(30 * HOUR, 'pull', '-q', 'busybox');
  await at(29 * HOUR, 'pull', '-q', 'layerbox/site');
  await at(28 * HOUR, 'pull', '-q', 'layerbox/changed');
  await at(26 * HOUR, 'create', '--name', 'made', '--label', 'com.example.tier=back<end>', 'busybox', 'sh');
  await at(25 * HOUR, 'commit', '-m', 'what was made', 'made', 'committed:v1');
  await at(24 * HOUR, 'commit', '-m', 'what was made once more', 'made', 'committed:v1');
  await at(23 * HOUR, 'tag', 'committed:v1', 'registry.example:5000/team/app:1.0');
  await at(22 * HOUR, 'rmi', 'committed:v1');
  await at(3 * HOUR, 'run', '--name', 'done', 'busybox', 'sh', '-c', 'echo "a long line of words"');
  clock.now = now - 2 * HOUR;
  await sandbox.docker('run --name failed --label tier=front busybox fail');
  await at(90_000, 'run', '-d', '--name', 'web', '-e', 'A=1', '-w', '/tmp', 'busybox', 'sleep', '1000');
  clock.now = now;
  return sandbox;
}

/**
 * IDs of containers, and of what was committed from them are not the same each time: what they are called,
 * and what they are.
 */
export async function idsOf(sandbox: TestSandbox): Promise<Readonly<Record<string, string>>> {
  const ids: Record<string, string> = {};
  const take = async (kind: string, line: readonly string[]) => {
    for (const text of (await sandbox.docker(line)).out.trimEnd().split('\n')) {
      const [name = '', id = ''] = text.split(' ');
      ids[`${kind} ${name}`] = id.replace('sha256:', '');
    }
  };
  await take('container', ['ps', '-a', '--no-trunc', '--format', '{{.Names}} {{.ID}}']);
  await take('image', ['images', '--no-trunc', '--format', '{{.Repository}} {{.ID}}']);
  await take('digest', ['images', '--digests', '--format', '{{.Repository}} {{.Digest}}']);
  return ids;
}

type Document = Readonly<Record<string, unknown>>;

/** The Engine API of docker 28.2 over the sandbox, as far as lists and inspections go. */
export function answersOf(sandbox: TestSandbox): Answer {
  const docker = async (...argv: readonly string[]): Promise<string> => (await sandbox.docker(argv)).out;
  const lines = async (...argv: readonly string[]) =>
    (await docker(...argv)).split('\n').filter((line) => line !== '');
  const inspect = async (type: string, name: string, sized = false): Promise<Document> => {
    const { out, err } = await sandbox.docker(['inspect', ...(sized ? ['-s'] : []), '--type', type, name]);
    const [document] = JSON.parse(out);
    if (document === undefined)
      throw new ApiError(404, err.trim().replace('Error response from daemon: ', ''));
    return document;
  };
  const filterFlags = (query: URLSearchParams) => {
    const filters: Record<string, Record<string, boolean>> = JSON.parse(query.get('filters') ?? '{}');
    return Object.entries(filters).flatMap(([name, values]) =>
      Object.keys(values).flatMap((value) => ['--filter', `${name}=${value}`]),
    );
  };
  const containers = async (query: URLSearchParams) => {
    const limit = Number(query.get('limit') ?? '0');
    const ids = await lines(
      ...['ps', '-q', '--no-trunc', ...filterFlags(query)],
      ...(query.get('all') === '1' ? ['-a'] : []),
      ...(limit > 0 ? ['-n', String(limit)] : []),
    );
    return Promise.all(ids.map((id) => summaryOf(id, query.get('size') === '1')));
  };
  const summaryOf = async (id: string, sized: boolean) => {
    const [row] = (await lines('ps', '-a', '--no-trunc', '--filter', `id=${id}`, '--format', 'json')).map(
      (line) => JSON.parse(line),
    );
    const document = await inspect('container', id, sized);
    const network = fields(document.NetworkSettings);
    return {
      Id: id,
      Names: [document.Name],
      Image: row.Image,
      ImageID: document.Image,
      Command: JSON.parse(row.Command),
      Created: Math.trunc(Date.parse(String(document.Created)) / 1000),
      Ports: [],
      Labels: fields(document.Config).Labels,
      State: fields(document.State).Status,
      Status: row.Status,
      HostConfig: { NetworkMode: fields(document.HostConfig).NetworkMode },
      NetworkSettings: { Networks: network.Networks },
      Mounts: document.Mounts,
      ImageManifestDescriptor: { platform: row.Platform },
      ...(sized && { SizeRw: document.SizeRw, SizeRootFs: document.SizeRootFs }),
    };
  };
  const images = async (query: URLSearchParams) => {
    const ids = await lines('images', '-q', '--no-trunc', ...filterFlags(query));
    return Promise.all(
      ids.map(async (id) => {
        const document = await inspect('image', id);
        return {
          Id: id,
          ParentId: '',
          RepoTags: document.RepoTags,
          RepoDigests: document.RepoDigests,
          Created: Math.trunc(Date.parse(String(document.Created)) / 1000),
          Size: document.Size,
          SharedSize: -1,
          Labels: fields(document.Config).Labels,
          Containers: -1,
        };
      }),
    );
  };
  const history = async (name: string) => {
    const { out, err } = await sandbox.docker([
      'history',
      '--no-trunc',
      '-H=false',
      '--format',
      'json',
      name,
    ]);
    if (err !== '') throw new ApiError(404, err.trim().replace('Error response from daemon: ', ''));
    return out
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { ID, CreatedAt, CreatedBy, Size, Comment } = JSON.parse(line);
        const Created = CreatedAt === '' ? 0 : Math.trunc(Date.parse(CreatedAt) / 1000);
        return { Id: ID, Created, CreatedBy, Size: Number(Size), Comment, Tags: null };
      });
  };
  const usage = async () => {
    const layers = new Map<string, { readonly size: number; readonly images: Set<string> }>();
    for (const image of await sandbox.engine.images()) {
      for (const { diffID, size } of image.layers) {
        const layer = layers.get(diffID) ?? { size, images: new Set() };
        layers.set(diffID, layer);
        layer.images.add(image.id);
      }
    }
    const all = [...layers.values()];
    const sum = (some: typeof all) => some.reduce((bytes, { size }) => bytes + size, 0);
    const listed = await images(new URLSearchParams());
    const users = await Promise.all(listed.map(({ Id }) => lines('ps', '-aq', '--filter', `ancestor=${Id}`)));
    return {
      LayersSize: sum(all),
      Images: listed.map((image, index) => ({
        ...image,
        SharedSize: sum(all.filter((layer) => layer.images.size > 1 && layer.images.has(image.Id))),
        Containers: users[index]?.length ?? 0,
      })),
      Containers: await containers(new URLSearchParams('all=1&size=1')),
      Volumes: [],
      BuildCache: [],
    };
  };
  return async (path, query) => {
    const [, kind = '', name = '', action = ''] = path.split('/');
    const last = path.slice(path.lastIndexOf('/') + 1);
    if (path === '/containers/json') return containers(query);
    if (path === '/images/json') return images(query);
    if (path === '/system/df') return usage();
    if (kind === 'containers' && action === 'json')
      return inspect('container', name, query.get('size') === '1');
    if (kind === 'images' && last === 'json')
      return inspect('image', path.slice('/images/'.length, -'/json'.length));
    if (kind === 'images' && last === 'history')
      return history(path.slice('/images/'.length, -'/history'.length));
    return undefined;
  };
}

function fields(value: unknown): Document {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
