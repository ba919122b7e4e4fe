/** `docker commit`: the image that a container becomes, and what each flag says of it. */

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ProgramCode } from '../container/fake-machine.ts';
import { killPage, openSandbox, openWithBusybox, type TestSandbox, until } from '../container/sandbox.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

const programs: Record<string, ProgramCode> = {
  write: async ({ root }) => {
    if (root === undefined) return 1;
    const etc = root.lookup(root.root, 'etc');
    root.write(root.create(etc, 'greeting', 0o600, { uid: 5, gid: 6 }), 0, bytes('hi\n'));
    root.unlink(etc, 'group');
    root.write(root.lookup(etc, 'hosts'), 0, bytes('127.0.0.9 somewhere\n'));
    return 0;
  },
  hosts: async ({ root }) => {
    if (root === undefined) return 1;
    root.write(root.lookup(root.lookup(root.root, 'etc'), 'hosts'), 0, bytes('127.0.0.9 somewhere\n'));
    return 0;
  },
  sleep: async ({ killed }) => 128 + (await killed),
  true: async () => 0,
  sh: async () => 0,
  cat: async ({ root, out }) => {
    if (root === undefined) return 1;
    const ino = root.lookup(root.lookup(root.root, 'etc'), 'greeting');
    await out(new TextDecoder().decode(await root.read(ino, 0, 100)));
    return 0;
  },
};

async function ok(sandbox: TestSandbox, ...argv: string[]): Promise<string> {
  const { code, out, err } = await sandbox.docker(argv);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

async function record(sandbox: TestSandbox, id: string) {
  const found = await sandbox.stores.records.get('images', `docker.io/library/${id}`);
  if (found === undefined) throw new Error(`no image ${id}`);
  return found;
}

async function config(sandbox: TestSandbox, id: string) {
  const { imageID } = await record(sandbox, id);
  return JSON.parse(new TextDecoder().decode(await sandbox.stores.content.read(imageID)));
}

const digest = (content: Uint8Array) => `sha256:${createHash('sha256').update(content).digest('hex')}`;

describe('docker commit', () => {
  it('makes an image of what the container changed, which runs at once', async () => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'run', '--name', 'web', 'busybox', 'write');
    const id = (await ok(sandbox, 'commit', 'web', 'mine:1')).trim();
    const image = await record(sandbox, 'mine:1');
    expect(image.imageID).toBe(id);
    expect(await ok(sandbox, 'run', '--rm', 'mine:1', 'cat')).toBe('hi\n');
    // what was removed is not there, and a container of it is as it was
    await expect(sandbox.engine.read('mine:1', '/etc/group')).rejects.toMatchObject({ code: 'NoSuchFile' });
    await ok(sandbox, 'create', '--name', 'next', 'mine:1');
    expect(await ok(sandbox, 'diff', 'next')).toBe('');
  });

  it('stores the layer as a tar under its diffID and in gzip under the digest of its manifest', async () => {
    const sandbox = await openWithBusybox({ programs });
    const base = await record(sandbox, 'busybox:latest');
    await ok(sandbox, 'run', '--name', 'web', 'busybox', 'write');
    await ok(sandbox, 'commit', 'web', 'mine');
    const image = await record(sandbox, 'mine:latest');
    const { content } = sandbox.stores;
    const [layer] = image.layers.slice(-1);
    if (layer === undefined) throw new Error('no layer');
    const packed = await content.read(layer.blob.digest);
    expect({ digest: digest(packed), size: packed.length }).toEqual({
      digest: layer.blob.digest,
      size: layer.blob.size,
    });
    const tar = gunzipSync(packed);
    expect(digest(tar)).toBe(layer.diffID);
    expect(Buffer.from(await content.read(layer.diffID)).equals(tar)).toBe(true);
    const manifest = await content.read(image.manifest.digest);
    expect(digest(manifest)).toBe(image.manifest.digest);
    expect(JSON.parse(new TextDecoder().decode(manifest))).toMatchObject({
      schemaVersion: 2,
      mediaType: base.manifest.mediaType,
      config: { digest: image.imageID },
      layers: [...base.layers.map(({ blob }) => ({ digest: blob.digest })), { digest: layer.blob.digest }],
    });
    expect(image.layers.slice(0, -1)).toEqual(base.layers);
    // what tells a container of its network is no part of any image
    expect(tar.includes('somewhere')).toBe(false);
    expect(tar.includes('etc/.wh.group')).toBe(true);
  });

  it('survives a killed page and a collection', async () => {
    const first = await openWithBusybox({ programs });
    await ok(first, 'run', '--name', 'web', 'busybox', 'write');
    await ok(first, 'commit', 'web', 'mine');
    await ok(first, 'rm', 'web');
    await ok(first, 'rmi', 'busybox');
    const second = await openSandbox({ programs, stores: await killPage(first) });
    expect(await ok(second, 'run', '--rm', 'mine', 'cat')).toBe('hi\n');
  });

  it.each([['true'], ['hosts']])(
    'of a container that changed nothing of its own (%s) adds no layer',
    async (program) => {
      const sandbox = await openWithBusybox({ programs });
      const base = await record(sandbox, 'busybox:latest');
      await ok(sandbox, 'run', '--name', 'web', 'busybox', program);
      await ok(sandbox, 'commit', '-m', 'nothing', 'web', 'mine');
      const image = await record(sandbox, 'mine:latest');
      expect(image.layers).toEqual(base.layers);
      const { history } = await config(sandbox, 'mine:latest');
      expect(history.at(-1)).toMatchObject({ comment: 'nothing', empty_layer: true });
      expect(await ok(sandbox, 'run', '--rm', 'mine', 'true')).toBe('');
    },
  );

  it('-a, -m and the command are in its history, after that of its image', async () => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'run', '--name', 'web', 'busybox', 'write', 'x');
    await ok(sandbox, 'commit', '-a', 'Ada <ada@example.org>', '-m', 'a greeting', 'web', 'mine');
    const base = await config(sandbox, 'busybox:latest');
    const made = await config(sandbox, 'mine:latest');
    expect(made.history.slice(0, -1)).toEqual(base.history ?? []);
    expect(made.history.at(-1)).toEqual({
      created: '2026-01-02T03:04:05.000Z',
      author: 'Ada <ada@example.org>',
      created_by: 'write x',
      comment: 'a greeting',
    });
    expect(made).toMatchObject({
      author: 'Ada <ada@example.org>',
      created: '2026-01-02T03:04:05.000Z',
      os: base.os,
      architecture: base.architecture,
      config: { Cmd: ['write', 'x'] },
    });
    await ok(sandbox, 'commit', 'web', 'plain');
    const plain = await config(sandbox, 'plain:latest');
    expect(plain.author).toBeUndefined();
    expect(Object.keys(plain.history.at(-1))).toEqual(['created', 'created_by']);
  });

  it('keeps what the command line of the container said', async () => {
    const sandbox = await openWithBusybox({ programs });
    await ok(
      sandbox,
      ...['create', '--name', 'web', '-e', 'A=1', '-u', '5:6', '-w', '/tmp'],
      'busybox',
      'true',
    );
    await ok(sandbox, 'commit', 'web', 'mine');
    expect((await config(sandbox, 'mine:latest')).config).toMatchObject({
      Env: expect.arrayContaining(['A=1']),
      User: '5:6',
      WorkingDir: '/tmp',
      Cmd: ['true'],
    });
  });

  it('keeps the ports and volumes of the image and of the command line: -P of the image publishes them', async () => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'create', '--name', 'base', 'busybox', 'sleep');
    await ok(sandbox, 'commit', '-c', 'EXPOSE 443', '-c', 'VOLUME /of-image', 'base', 'exposing');
    await ok(
      sandbox,
      ...['create', '--name', 'web', '-p', '8080:80', '-p', '53:53/udp', '--expose', '7000'],
      ...['-v', '/anon', '-v', 'named:/named', 'exposing'],
    );
    await ok(sandbox, 'commit', '-c', 'EXPOSE 81', '-c', 'VOLUME /later', 'web', 'mine');
    const { ExposedPorts, Volumes } = (await config(sandbox, 'mine:latest')).config;
    expect(Object.keys(ExposedPorts).sort()).toEqual(['443/tcp', '53/udp', '7000/tcp', '80/tcp', '81/tcp']);
    // as Docker's: a volume that has a name, or a folder of the host, is the container's alone
    expect(Object.keys(Volumes).sort()).toEqual(['/anon', '/later', '/of-image']);
    await ok(sandbox, 'run', '-d', '-P', '--name', 'next', 'mine');
    expect((await ok(sandbox, 'port', 'next')).replace(/:\d+$/gm, '').trim().split('\n').sort()).toEqual(
      ['443/tcp', '53/udp', '7000/tcp', '80/tcp', '81/tcp'].map((port) => `${port} -> 0.0.0.0`),
    );
    const mounts = await ok(sandbox, 'inspect', '-f', '{{range .Mounts}}{{.Destination}} {{end}}', 'next');
    expect(mounts.trim().split(' ').sort()).toEqual(['/anon', '/later', '/of-image']);
    await ok(sandbox, 'rm', '-f', '-v', 'next');
  });

  it('without a name makes an image without one; a name that was another image’s is taken', async () => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'run', '--name', 'web', 'busybox', 'write');
    const id = (await ok(sandbox, 'commit', 'web')).trim();
    expect(await sandbox.stores.records.ids('images')).toContain(`<none>@${id}`);
    await ok(sandbox, 'commit', '-m', 'other', 'web', 'busybox');
    expect(await ok(sandbox, 'images', '-q', 'busybox')).not.toContain(id.slice(7, 19));
    expect((await config(sandbox, 'busybox:latest')).history.at(-1).comment).toBe('other');
  });

  it.each([
    ['CMD ["a", "b c"]', { Cmd: ['a', 'b c'] }],
    ['CMD a b c', { Cmd: ['/bin/sh', '-c', 'a b c'] }],
    ['ENTRYPOINT ["e"]', { Entrypoint: ['e'] }],
    ['entrypoint e f', { Entrypoint: ['/bin/sh', '-c', 'e f'] }],
    ['ENV A=1 B="2 3" C=$A', { Env: expect.arrayContaining(['A=1', 'B=2 3', 'C=']) }],
    ['ENV A one value', { Env: expect.arrayContaining(['A=one value']) }],
    [
      `ENV X=$\{PATH:+set} Y=$\{NONE:-unset} Z='$PATH' V=a\\ b`,
      {
        Env: expect.arrayContaining(['X=set', 'Y=unset', 'Z=$PATH', 'V=a b']),
      },
    ],
    [
      'EXPOSE 80 53/udp 7000-7001',
      {
        ExposedPorts: { '80/tcp': {}, '53/udp': {}, '7000/tcp': {}, '7001/tcp': {} },
      },
    ],
    ['LABEL a=b "c d"="e f"', { Labels: expect.objectContaining({ a: 'b', 'c d': 'e f' }) }],
    ['ONBUILD RUN make', { OnBuild: ['RUN make'] }],
    ['USER 7:8', { User: '7:8' }],
    ['VOLUME /a /b', { Volumes: { '/a': {}, '/b': {} } }],
    ['VOLUME ["/a b"]', { Volumes: { '/a b': {} } }],
    ['WORKDIR sub/../dir', { WorkingDir: '/srv/dir' }],
    ['WORKDIR /abs', { WorkingDir: '/abs' }],
    ['STOPSIGNAL SIGINT', { StopSignal: 'SIGINT' }],
    [
      'HEALTHCHECK --interval=1m30s --retries=2 --timeout=1s --start-period=2s --start-interval=3s CMD curl -f x',
      {
        Healthcheck: {
          Test: ['CMD-SHELL', 'curl -f x'],
          Interval: 90e9,
          Retries: 2,
          Timeout: 1e9,
          StartPeriod: 2e9,
          StartInterval: 3e9,
        },
      },
    ],
    ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
    ['# nothing', { Cmd: ['true'] }],
  ])('-c %s', async (change, wanted) => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'create', '--name', 'web', '-w', '/srv', 'busybox', 'true');
    await ok(sandbox, 'commit', '-c', change, 'web', 'mine');
    expect((await config(sandbox, 'mine:latest')).config).toMatchObject(wanted);
  });

  it('-c ENTRYPOINT takes the command away that was for another program', async () => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'create', '--name', 'web', 'busybox', 'true');
    await ok(sandbox, 'commit', '-c', 'ENTRYPOINT ["e"]', 'web', 'mine');
    expect(Object.keys((await config(sandbox, 'mine:latest')).config)).not.toContain('Cmd');
  });

  it('-c several times, in order: an entrypoint leaves a command that was given with it', async () => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'create', '--name', 'web', 'busybox', 'true');
    await ok(
      sandbox,
      'commit',
      '-c',
      'CMD ["c"]',
      '-c',
      'ENTRYPOINT ["e"]',
      '-c',
      'ENV A=1',
      '-c',
      'ENV B=$A',
      'web',
      'mine',
    );
    expect((await config(sandbox, 'mine:latest')).config).toMatchObject({
      Cmd: ['c'],
      Entrypoint: ['e'],
      Env: expect.arrayContaining(['A=1', 'B=1']),
    });
  });

  it.each([
    ['FROM scratch', 'FROM is not a valid change command'],
    ['RUN make', 'RUN is not a valid change command'],
    ['CMD', 'CMD requires at least one argument'],
    ['ENV A', 'ENV must have two arguments'],
    ['ENV A=1 B', `Syntax error - can't find = in "B". Must be of the form: name=value`],
    ['EXPOSE web', 'invalid containerPort: web'],
    ['EXPOSE 80-70', 'invalid containerPort: 80-70'],
    ['EXPOSE 70000', 'invalid containerPort: 70000'],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['HEALTHCHECK TRY x', 'Unknown type "TRY" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK --interval=soon CMD x', 'invalid value for --interval of HEALTHCHECK: "soon"'],
    ['HEALTHCHECK --retries=-1 CMD x', 'invalid value for --retries of HEALTHCHECK: "-1"'],
    ['HEALTHCHECK --start=1s CMD x', 'Unknown flag: start'],
  ])('-c %s is refused, and leaves nothing behind', async (change, message) => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'create', '--name', 'web', 'busybox', 'true');
    const before = await sandbox.stores.content.list();
    expect(await sandbox.docker(['commit', '-c', change, 'web', 'mine'])).toEqual({
      code: 1,
      out: '',
      err: `Error response from daemon: ${message}\n`,
    });
    expect(await sandbox.stores.records.ids('leases')).toEqual([]);
    expect(await sandbox.stores.content.list()).toEqual(before);
  });

  it('holds the programs of a running container still, unless -p=false', async () => {
    const sandbox = await openWithBusybox({ programs });
    const id = (await ok(sandbox, 'run', '-d', '--name', 'web', 'busybox', 'sleep')).trim();
    await ok(sandbox, 'commit', 'web', 'mine');
    expect(sandbox.machine.frozen).toEqual([`+${id}`, `-${id}`]);
    await ok(sandbox, 'commit', '-p=false', 'web', 'mine');
    expect(sandbox.machine.frozen).toHaveLength(2);
    await sandbox.docker('commit -c NONSENSE web');
    expect(sandbox.machine.frozen).toEqual([`+${id}`, `-${id}`, `+${id}`, `-${id}`]);
    await ok(sandbox, 'kill', 'web');
    await until('web has exited', () => sandbox.machine.running === 0);
    await ok(sandbox, 'commit', 'web', 'mine');
    expect(sandbox.machine.frozen).toHaveLength(4);
  });

  it.each([
    ['commit nosuch', 1, 'Error response from daemon: No such container: nosuch\n'],
    ['commit web Upper', 1, 'invalid reference format: repository name (library/Upper) must be lowercase\n'],
  ])('%s is refused', async (line, code, err) => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'create', '--name', 'web', 'busybox', 'true');
    expect(await sandbox.docker(line)).toEqual({ code, out: '', err });
  });

  it('of a container whose image was removed says so', async () => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'create', '--name', 'web', 'busybox', 'true');
    await ok(sandbox, 'rmi', '-f', 'busybox');
    const { code, err } = await sandbox.docker('commit web mine');
    expect(code).toBe(1);
    expect(err).toMatch(/No such image: sha256:[0-9a-f]{64}: the container's image was removed/);
  });
});
