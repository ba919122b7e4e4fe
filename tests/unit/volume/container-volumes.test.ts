/** Volumes in the lives of containers, on a machine of functions. */

import { describe, expect, it } from 'vitest';
import type { Bind, TmpfsMount } from '../../../src/engine/container/machine.ts';
import { readFile, resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import type { Union } from '../../../src/engine/unionfs/union.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { killPage, openSandbox, openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

const programs: Record<string, ProgramCode> = {
  true: async () => 0,
  wait: async ({ killed }) => 128 + (await killed),
  // the host's shell is asked whether a path is there
  '/bin/bash': async ({ spec }) => (spec.argv.at(-1) === '/srv/here' ? 0 : 1),
};

async function opened(): Promise<TestSandbox> {
  return openWithBusybox({ programs });
}

function mounts({ machine }: TestSandbox): readonly (Bind | TmpfsMount)[] {
  const spec = machine.spawned.findLast(({ container }) => container !== undefined);
  const inits = ['/.layerbox', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];
  return (spec?.container?.binds ?? []).filter(({ target }) => !inits.includes(target));
}

async function ok(sandbox: TestSandbox, line: string | readonly string[]): Promise<string> {
  const { code, out, err } = await sandbox.docker(line);
  expect({ code, err }, String(line)).toEqual({ code: 0, err: '' });
  return out.trim();
}

async function names(sandbox: TestSandbox): Promise<string[]> {
  const out = await ok(sandbox, 'volume ls -q');
  return out === '' ? [] : out.split('\n');
}

function tree({ machine }: TestSandbox, name: string): Union {
  return machine.trees.get(`v/${name}`) as Union;
}

describe('a container', () => {
  it('mounts a named volume, which is made for it and outlives it', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'run --rm -v data:/data busybox true');
    expect(mounts(sandbox)).toEqual([{ source: '', tree: 'v/data', target: '/data', readOnly: false }]);
    expect(await names(sandbox)).toEqual(['data']);
    await ok(sandbox, 'run --rm -v data:/data:ro busybox true');
    expect(mounts(sandbox)).toMatchObject([{ tree: 'v/data', readOnly: true }]);
  });

  it('gets what its image has at the place of an empty volume, with its owner and mode', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'create --name one -v config:/etc busybox true');
    await ok(sandbox, 'start one');
    const config = tree(sandbox, 'config');
    expect(new TextDecoder().decode(await readFile(config, '/passwd'))).toMatch(/^root:/);
    await ok(sandbox, 'run --rm -v tmp:/tmp busybox true');
    expect(tree(sandbox, 'tmp').stat(1).mode).toBe(0o1777);
    await ok(sandbox, 'rm one');
    await ok(sandbox, 'run --rm -v config:/tmp busybox true');
    expect(config.stat(resolvePath(config, '/passwd')).type).toBe('file');
  });

  it.each([
    ['-v', 'data:/etc:nocopy'],
    ['--mount', 'src=data,dst=/etc,volume-nocopy'],
    ['--mount', 'type=volume,src=data,dst=/etc,volume-nocopy=true'],
  ])('%s %s copies nothing', async (flag, value) => {
    const sandbox = await opened();
    await ok(sandbox, ['run', '--rm', flag, value, 'busybox', 'true']);
    expect(tree(sandbox, 'data').readdir(1)).toEqual([]);
  });

  it('is refused, and leaves no volume behind, where its image has a file', async () => {
    const sandbox = await opened();
    const { code, err } = await sandbox.docker('run -v data:/etc/passwd busybox true');
    expect(code).toBe(125);
    expect(err).toContain('cannot mount volume over existing file, file exists /etc/passwd');
    expect(await names(sandbox)).toEqual([]);
  });

  it('takes its anonymous volumes along with --rm and rm -v, and leaves them otherwise', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'run --rm -v /data busybox true');
    expect(await names(sandbox)).toEqual([]);
    await ok(sandbox, 'run --name one -v /data -v named:/x busybox true');
    expect(await names(sandbox)).toHaveLength(2);
    await ok(sandbox, 'rm -v one');
    expect(await names(sandbox)).toEqual(['named']);
    await ok(sandbox, 'run --name one -v /data busybox true');
    await ok(sandbox, 'rm one');
    expect(await names(sandbox)).toHaveLength(2);
  });

  it('has a volume of its own for each VOLUME of its image, but where something else is mounted', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'create --name base busybox');
    await ok(sandbox, ['commit', '-c', 'VOLUME /etc /other', 'base', 'withvolumes']);
    await ok(sandbox, 'run --name one -v mine:/other withvolumes true');
    const found = mounts(sandbox).map((mount) => ('tree' in mount ? [mount.target, mount.tree] : []));
    expect(found).toEqual([
      ['/other', 'v/mine'],
      ['/etc', expect.stringMatching(/^v\/[0-9a-f]{64}$/)],
    ]);
    const anonymous = (await names(sandbox)).find((name) => name !== 'mine') ?? '';
    expect(tree(sandbox, anonymous).lookup(1, 'passwd')).toBeGreaterThan(1);
    await ok(sandbox, 'rm -v one');
    expect(await names(sandbox)).toEqual(['mine']);
  });

  it('mounts what another has, with --volumes-from', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'create --name one -v data:/data -v /anon -v /srv/here:/here:ro busybox');
    await ok(sandbox, 'run --name two --volumes-from one busybox true');
    expect(
      mounts(sandbox).map(({ target, ...rest }) => [target, 'readOnly' in rest && rest.readOnly]),
    ).toEqual([
      ['/data', false],
      ['/here', true],
      ['/anon', false],
    ]);
    await ok(sandbox, 'run --rm --volumes-from one:ro busybox true');
    expect(mounts(sandbox).every((mount) => 'readOnly' in mount && mount.readOnly)).toBe(true);
    await ok(sandbox, 'rm -v one');
    expect(await names(sandbox)).toHaveLength(2);
    await ok(sandbox, 'rm -v two');
    expect(await names(sandbox)).toEqual(['data']);
    const { code, err } = await sandbox.docker('run --volumes-from nope busybox true');
    expect({ code, err }).toMatchObject({
      code: 125,
      err: expect.stringContaining('No such container: nope'),
    });
  });

  it('binds paths of the host; with --mount they must be there', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'run --rm -v /root/nope:/a:ro --mount type=bind,src=/srv/here,dst=/b,ro busybox true');
    expect(mounts(sandbox)).toEqual([
      { source: '/root/nope', target: '/a', readOnly: true },
      { source: '/srv/here', target: '/b', readOnly: true, mustExist: true },
    ]);
    const { code, err } = await sandbox.docker('run --mount type=bind,src=/root/nope,dst=/b busybox true');
    expect(code).toBe(125);
    expect(err).toContain(
      'docker: Error response from daemon: invalid mount config for type "bind": bind source path does not exist: /root/nope',
    );
    await ok(sandbox, 'run --rm --mount type=bind,src=/srv/here,dst=/b,bind-recursive=disabled busybox true');
    expect(mounts(sandbox)).toMatchObject([{ isRecursive: false }]);
    await ok(
      sandbox,
      'run --rm --mount type=bind,src=/srv/here,dst=/b,ro,bind-recursive=writable busybox true',
    );
    expect(mounts(sandbox)).toMatchObject([{ isReadOnlyRecursive: false }]);
  });

  it.each([
    ['-v /srv/here:/a:rshared', 'a shared mount'],
    ['-v /srv/here:/a:rslave', 'a shared or slave mount'],
    ['--mount type=bind,src=/srv/here,dst=/a,bind-propagation=shared', 'a shared mount'],
    ['--mount type=bind,src=/srv/here,dst=/a,bind-propagation=slave', 'a shared or slave mount'],
  ])('cannot share a mount of the host further: %s', async (flags, wanted) => {
    const sandbox = await opened();
    const { code, err } = await sandbox.docker(`run --rm ${flags} busybox true`);
    expect(code).toBe(125);
    expect(err).toContain(`path /srv/here is mounted on / but it is not ${wanted}`);
  });

  it('is told of with what was asked of a bind', async () => {
    const sandbox = await opened();
    await ok(
      sandbox,
      'create --name one --mount type=bind,src=/srv/here,dst=/a,bind-propagation=private --mount type=bind,src=/srv/here,dst=/b,ro,bind-propagation=rprivate,bind-recursive=readonly busybox true',
    );
    const [document] = JSON.parse(await ok(sandbox, 'inspect one'));
    expect(document.Mounts).toMatchObject([
      { Destination: '/a', Propagation: 'private', RW: true },
      { Destination: '/b', Propagation: 'rprivate', RW: false },
    ]);
    expect(document.HostConfig.Mounts).toMatchObject([
      { BindOptions: { Propagation: 'private' } },
      { BindOptions: { Propagation: 'rprivate', ReadOnlyForceRecursive: true } },
    ]);
    await ok(sandbox, 'start -a one');
    expect(mounts(sandbox)).toEqual([
      { source: '/srv/here', target: '/a', readOnly: false, mustExist: true },
      { source: '/srv/here', target: '/b', readOnly: true, mustExist: true },
    ]);
  });

  it('labels a volume that --mount makes, and one that is there keeps its own', async () => {
    const sandbox = await opened();
    const labels = () => ok(sandbox, ['volume', 'inspect', '-f', '{{json .Labels}}', 'data']);
    await ok(sandbox, 'run --rm --mount src=data,dst=/x,volume-label=a=b,volume-label=c busybox true');
    expect(await labels()).toBe('{"a":"b","c":""}');
    await ok(sandbox, 'run --rm --mount src=data,dst=/x,volume-label=a=other busybox true');
    expect(await labels()).toBe('{"a":"b","c":""}');
  });

  it('has a tmpfs by --tmpfs and by --mount', async () => {
    const sandbox = await opened();
    await ok(
      sandbox,
      'run --rm --tmpfs /a:size=1m,exec --tmpfs /b --mount type=tmpfs,dst=/c,tmpfs-size=2k,tmpfs-mode=700 busybox true',
    );
    expect(mounts(sandbox)).toEqual([
      { tmpfs: true, target: '/a', options: 'nosuid,nodev,size=1m,exec' },
      { tmpfs: true, target: '/b', options: 'noexec,nosuid,nodev' },
      { tmpfs: true, target: '/c', options: 'noexec,nosuid,nodev,mode=700,size=2048' },
    ]);
  });

  it('mounts what lies in another after it', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'run --rm -v inner:/a/b/c -v outer:/a --tmpfs /a/b busybox true');
    expect(mounts(sandbox).map(({ target }) => target)).toEqual(['/a', '/a/b', '/a/b/c']);
  });

  it('mounts a folder of a volume, which must be there', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'run --rm -v data:/var busybox true');
    const missing = await sandbox.docker('run --mount src=data,dst=/x,volume-subpath=nope busybox true');
    expect(missing.err).toContain('cannot access path /var/lib/docker/volumes/data/_data/nope');
    await ok(sandbox, 'run --rm --mount src=data,dst=/x,volume-subpath=spool busybox true');
    expect(mounts(sandbox)).toMatchObject([{ source: 'spool', tree: 'v/data' }]);
  });

  it.each([
    ['-v data:/x -v other:/x', 'Duplicate mount point: /x'],
    ['-v data:/x --tmpfs /x', 'Duplicate mount point: /x'],
    ['-v a/b:/x', 'create a/b: "a/b" includes invalid characters for a local volume name'],
    ['--tmpfs /x:bogus', 'invalid tmpfs option ["bogus"]'],
    ['--tmpfs /', "destination can't be '/'"],
    ['--volume-driver nfs -v data:/x', 'plugin "nfs" not found'],
    ['--mount src=data,dst=/x,volume-driver=nfs', 'plugin "nfs" not found'],
    ['-v :/x', 'docker: invalid spec: :/x: empty section between colons'],
    ['-v /a:/b:ro:z', 'docker: invalid spec: /a:/b:ro:z: too many colons'],
  ])('%s is refused: %s', async (flags, words) => {
    const sandbox = await opened();
    const { code, err } = await sandbox.docker(`run ${flags} busybox true`);
    expect({ code, err }).toEqual({ code: 125, err: expect.stringContaining(words) });
    expect(await names(sandbox)).toEqual([]);
  });

  it('keeps its volumes from being removed, also over a reload', async () => {
    const sandbox = await opened();
    const id = await ok(sandbox, 'create --name one -v data:/x busybox');
    const inUse = await sandbox.docker('volume rm data');
    expect(inUse).toEqual({
      code: 1,
      out: '',
      err: `Error response from daemon: remove data: volume is in use - [${id}]\n`,
    });
    const again = await openSandbox({ stores: await killPage(sandbox), programs });
    expect((await again.docker('volume rm data')).code).toBe(1);
    await ok(again, 'rm one');
    expect(await ok(again, 'volume rm data')).toBe('data');
  });

  it('is told of in inspect, ps and events', async () => {
    const sandbox = await opened();
    const id = await ok(
      sandbox,
      'create --name one -v data:/x -v /y -v /srv/here:/z:ro --tmpfs /t:size=1m --mount type=tmpfs,dst=/m busybox true',
    );
    const [document] = JSON.parse(await ok(sandbox, 'inspect one'));
    const anonymous = (await names(sandbox)).find((name) => name !== 'data');
    expect(document.Mounts).toEqual(
      [
        {
          Type: 'bind',
          Source: '/srv/here',
          Destination: '/z',
          Mode: 'ro',
          RW: false,
          Propagation: 'rprivate',
        },
        {
          Type: 'volume',
          Name: 'data',
          Source: '/var/lib/docker/volumes/data/_data',
          Destination: '/x',
          Driver: 'local',
          Mode: 'z',
          RW: true,
          Propagation: '',
        },
        { Type: 'tmpfs', Source: '', Destination: '/m', Mode: '', RW: true, Propagation: '' },
        {
          Type: 'volume',
          Name: anonymous,
          Source: `/var/lib/docker/volumes/${anonymous}/_data`,
          Destination: '/y',
          Driver: 'local',
          Mode: '',
          RW: true,
          Propagation: '',
        },
      ].sort(
        (a, b) =>
          ['/x', '/z', '/m', '/y'].indexOf(a.Destination) - ['/x', '/z', '/m', '/y'].indexOf(b.Destination),
      ),
    );
    expect(document.Config.Volumes).toEqual({ '/y': {} });
    expect(document.HostConfig).toMatchObject({
      Binds: ['data:/x', '/srv/here:/z:ro'],
      Tmpfs: { '/t': 'size=1m' },
      Mounts: [{ Type: 'tmpfs', Target: '/m' }],
      VolumesFrom: null,
      VolumeDriver: '',
    });
    for (const value of ['data', '/x', '/srv/here']) {
      expect(await ok(sandbox, `ps -aq --no-trunc --filter volume=${value}`)).toBe(id);
    }
    expect(await ok(sandbox, 'ps -aq --filter volume=nope')).toBe('');
    await ok(sandbox, 'start one');
    await ok(sandbox, 'wait one').catch(() => undefined);
    await expect
      .poll(() =>
        sandbox.events
          .filter(({ type }) => type === 'volume')
          .map((event) => ('action' in event ? event.action : '')),
      )
      .toEqual(['create', 'create', 'mount', 'mount', 'unmount', 'unmount']);
    expect(sandbox.events.find((event) => event.type === 'volume' && event.action === 'mount')).toMatchObject(
      {
        name: 'data',
        attributes: { container: id, destination: '/x', driver: 'local', 'read/write': 'true' },
      },
    );
  });
});

describe('docker volume', () => {
  it('makes, lists, shows and removes', async () => {
    const sandbox = await opened();
    expect(await ok(sandbox, 'volume create --label a=b --label c zoo')).toBe('zoo');
    expect(await ok(sandbox, 'volume create --name old -d local')).toBe('old');
    const anonymous = await ok(sandbox, 'volume create');
    expect(anonymous).toMatch(/^[0-9a-f]{64}$/);
    await ok(sandbox, `volume rm ${anonymous}`);
    expect(await ok(sandbox, 'volume ls')).toBe('DRIVER    VOLUME NAME\nlocal     old\nlocal     zoo');
    expect(await ok(sandbox, 'volume ls -q --filter name=zo')).toBe('zoo');
    expect(await ok(sandbox, 'volume ls -q --filter label=a=b')).toBe('zoo');
    expect(await ok(sandbox, 'volume ls -q --filter driver=nfs')).toBe('');
    expect(await ok(sandbox, ['volume', 'ls', '--format', '{{.Name}} {{.Mountpoint}} {{.Label "a"}}'])).toBe(
      'old /var/lib/docker/volumes/old/_data \nzoo /var/lib/docker/volumes/zoo/_data b',
    );
    expect(JSON.parse(await ok(sandbox, 'volume inspect zoo'))).toEqual([
      {
        CreatedAt: '2026-01-02T03:04:05Z',
        Driver: 'local',
        Labels: { a: 'b', c: '' },
        Mountpoint: '/var/lib/docker/volumes/zoo/_data',
        Name: 'zoo',
        Options: null,
        Scope: 'local',
      },
    ]);
    expect(await ok(sandbox, ['inspect', '--type', 'volume', '-f', '{{.Name}}', 'zoo'])).toBe('zoo');
    await ok(sandbox, 'volume create -o type=tmpfs -o o=size=1m -o device=tmpfs memory');
    expect(await ok(sandbox, ['volume', 'inspect', '-f', '{{json .Options}}', 'memory'])).toBe(
      '{"device":"tmpfs","o":"size=1m","type":"tmpfs"}',
    );
    await ok(sandbox, 'volume rm memory');
    expect(await ok(sandbox, 'volume rm zoo old')).toBe('zoo\nold');
    expect(await sandbox.docker('volume rm zoo')).toEqual({
      code: 1,
      out: '',
      err: 'Error response from daemon: get zoo: no such volume\n',
    });
    expect(await ok(sandbox, 'volume rm -f zoo')).toBe('zoo');
    expect(await sandbox.docker('volume inspect zoo')).toEqual({
      code: 1,
      out: '[]\n',
      err: 'Error response from daemon: get zoo: no such volume\n',
    });
  });

  it.each([
    ['create a b', "docker: 'docker volume create' requires at most 1 argument"],
    [
      'create --name x y',
      'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
    ],
    ['create -d nfs data', 'create data: error looking up volume plugin nfs: plugin "nfs" not found'],
    ['create -o bogus=1 data', 'create data: invalid option: "bogus"'],
    ['create -o type=tmpfs data', 'create data: missing required option: "device"'],
    ['create -o device=/a data', 'create data: missing required option: "type"'],
    ['create -o o=bind data', 'create data: missing required option: "device"'],
    ['create -o size=1m data', 'create data: quota size requested but no quota support'],
    [
      'create -o type=nfs -o device=:/d -o o=addr=1.2.3.4 data',
      'volumes of the type nfs are not yet supported by Layerbox',
    ],
    [
      'create -o type=none -o device=/a -o o=bind,noexec data',
      'the mount option noexec of a volume that is a bind is not yet supported by Layerbox',
    ],
    ['rm', "docker: 'docker volume rm' requires at least 1 argument"],
    ['ls x', "docker: 'docker volume ls' accepts no arguments"],
    ['prune -a --filter all=1 -f', 'conflicting options: cannot specify both --all and --filter all=1'],
    ['update x', 'not yet supported by Layerbox'],
  ])('%s is refused: %s', async (line, words) => {
    const { code, err } = await (await opened()).docker(`volume ${line}`);
    expect(err).toContain(words);
    expect(code).not.toBe(0);
  });

  it('removes volumes that nobody has: anonymous ones, or all', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'run -v /anon busybox true');
    await ok(sandbox, 'create --name one -v used:/x busybox');
    await ok(sandbox, 'volume create --label keep named');
    expect(await ok(sandbox, 'volume ls -q --filter dangling=true')).toBe('named');
    expect(await ok(sandbox, 'volume prune -f')).toBe('Total reclaimed space: 0B');
    const container = (await ok(sandbox, 'ps -aq')).split('\n').at(-1) ?? '';
    await ok(sandbox, `rm ${container}`);
    const anonymous = (await names(sandbox)).find((name) => name.length === 64) ?? '';
    expect(await ok(sandbox, 'volume prune -f')).toBe(
      `Deleted Volumes:\n${anonymous}\n\nTotal reclaimed space: 0B`,
    );
    expect(await ok(sandbox, 'volume prune -af --filter label!=keep')).toBe('Total reclaimed space: 0B');
    expect(await ok(sandbox, 'volume prune -f --filter all=1')).toBe(
      'Deleted Volumes:\nnamed\n\nTotal reclaimed space: 0B',
    );
    expect(await names(sandbox)).toEqual(['used']);
    await ok(sandbox, 'rm one');
    expect(await ok(sandbox, 'volume prune -a -f')).toContain('Deleted Volumes:\nused\n');
  });

  it('asks before it removes', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'volume create named');
    const { out, err } = await sandbox.docker('volume prune -a');
    expect(out + err).toContain(
      'WARNING! This will remove all local volumes not used by at least one container.\nAre you sure you want to continue? [y/N] ',
    );
    expect(await names(sandbox)).toEqual(['named']);
  });

  it('is part of docker system df and docker system prune', async () => {
    const sandbox = await opened();
    await ok(sandbox, 'run --name one -v data:/etc -v /anon busybox true');
    expect(await ok(sandbox, 'system df')).toMatch(/Local Volumes +2 +2 +[1-9]/);
    await ok(sandbox, 'rm one');
    expect(await ok(sandbox, 'system prune -f --volumes')).toContain('Deleted Volumes:\n');
    expect(await names(sandbox)).toEqual(['data']);
  });
});
