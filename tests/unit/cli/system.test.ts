/** `docker system df`, `system prune`, `search`, `inspect`: each flag, and that it does something. */

import { describe, expect, it } from 'vitest';
import type { ProgramCode } from '../container/fake-machine.ts';
import { input, openSandbox, openWithBusybox, type TestSandbox } from '../container/sandbox.ts';
import { jsonBytes } from '../registry/made-up-registry.ts';

const programs: Record<string, ProgramCode> = {
  sh: async () => 0,
  sleep: async (program) => 128 + (await program.killed),
};

/** Something of everything that can be pruned, and something of everything that cannot. */
async function withAll(): Promise<TestSandbox> {
  const sandbox = await openWithBusybox({ programs });
  const lines = [
    'pull -q layerbox/site',
    'pull -q layerbox/changed',
    'tag busybox layerbox/changed',
    'network create idle',
    'network create --label keep=yes labelled',
    'volume create named',
    'volume create',
    'create --name made -l keep=yes busybox sh',
    'run --name done busybox sh',
    'run -d --name web -v data:/data busybox sleep',
  ];
  for (const line of lines) {
    sandbox.clock.now += 1000;
    const { code, err } = await sandbox.docker(line);
    expect({ line, code, err }).toEqual({ line, code: 0, err: '' });
  }
  return sandbox;
}

async function left({ docker }: TestSandbox) {
  const lines = async (line: string) => (await docker(line)).out.trimEnd().split('\n');
  return {
    containers: await lines('ps -a --format {{.Names}}'),
    networks: await lines('network ls --format {{.Name}}'),
    volumes: (await lines('volume ls -q')).map((name) => (name.length === 64 ? 'anonymous' : name)).sort(),
    images: await lines('images -a --format {{.Repository}}'),
  };
}

const ALL = {
  containers: ['web', 'done', 'made'],
  networks: ['bridge', 'host', 'idle', 'labelled', 'none'],
  volumes: ['anonymous', 'data', 'named'],
  images: expect.arrayContaining(['layerbox/site', '<none>', 'busybox', 'layerbox/changed']),
};

describe('docker system prune', () => {
  it('asks first, and tells what it will remove', async () => {
    const sandbox = await withAll();
    expect(await sandbox.docker('system prune', { input: input('n\n') })).toEqual({
      code: 0,
      out: `WARNING! This will remove:
  - all stopped containers
  - all networks not used by at least one container
  - all dangling images
  - unused build cache

Are you sure you want to continue? [y/N] `,
      err: '',
    });
    expect(await left(sandbox)).toEqual(ALL);
    const { out } = await sandbox.docker('system prune -a --volumes --filter label=b --filter label!=a');
    expect(out).toBe(`WARNING! This will remove:
  - all stopped containers
  - all networks not used by at least one container
  - all anonymous volumes not used by at least one container
  - all images without at least one container associated to them
  - all build cache

  Items to be pruned will be filtered with:
  - label!=a
  - label=b

Are you sure you want to continue? [y/N] `);
  });

  it('removes what nobody uses, and tells of it', async () => {
    const sandbox = await withAll();
    const { code, out } = await sandbox.docker('system prune', { input: input('y\n') });
    expect(code).toBe(0);
    expect(out).toMatch(
      /\[y\/N\] Deleted Containers:\n[0-9a-f]{64}\n[0-9a-f]{64}\n\nDeleted Networks:\nidle\nlabelled\n\nDeleted Images:\ndeleted: sha256:[0-9a-f]{64}\n(?:deleted: .*\n)*\nTotal reclaimed space: [\d.]+kB\n$/,
    );
    expect(await left(sandbox)).toEqual({
      containers: ['web'],
      networks: ['bridge', 'host', 'none'],
      volumes: ['anonymous', 'data', 'named'],
      images: expect.not.arrayContaining(['<none>']),
    });
  });

  it('with -a and --volumes removes images with a name and volumes without one', async () => {
    const sandbox = await withAll();
    const { out } = await sandbox.docker('system prune -af --volumes');
    expect(out).toMatch(/\nDeleted Volumes:\n[0-9a-f]{64}\n\nDeleted Images:\n/);
    expect(await left(sandbox)).toEqual({
      containers: ['web'],
      networks: ['bridge', 'host', 'none'],
      volumes: ['data', 'named'],
      images: ['layerbox/changed', 'busybox'],
    });
  });

  it('with --filter removes what fits', async () => {
    const sandbox = await withAll();
    await sandbox.docker('system prune -f --filter label=keep=yes');
    const { containers, networks } = await left(sandbox);
    expect({ containers, networks }).toEqual({
      containers: ['web', 'done'],
      networks: ['bridge', 'host', 'idle', 'none'],
    });
    await sandbox.docker('system prune -f --filter until=1h');
    expect((await left(sandbox)).containers).toEqual(['web', 'done']);
    sandbox.clock.now += 2 * 3_600_000;
    await sandbox.docker('system prune --force --filter until=1h');
    expect((await left(sandbox)).containers).toEqual(['web']);
  });

  it('refuses what Docker refuses', async () => {
    const { docker } = await openSandbox();
    expect((await docker('system prune -f --filter nosuch=1')).err).toBe(
      "Error response from daemon: invalid filter 'nosuch'\n",
    );
    expect(await docker('system prune -f --volumes --filter until=1h')).toEqual({
      code: 1,
      out: '',
      err: 'ERROR: The "until" filter is not supported with "--volumes"\n',
    });
  });
});

describe('docker system df', () => {
  it('counts images, containers and volumes, and what could be given back', async () => {
    const { docker } = await withAll();
    const { out } = await docker('system df');
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE'],
      ['Images', '3', '1', '2.077MB', '2.077MB (100%)'],
      ['Containers', '3', '1', '0B', '0B'],
      ['Local Volumes', '3', '1', '0B', '0B'],
      ['Build Cache', '0', '0', '0B', '0B'],
      [''],
    ]);
    expect((await docker('system df --format {{.Type}}:{{.Active}}')).out).toBe(
      'Images:1\nContainers:1\nLocal Volumes:1\nBuild Cache:0\n',
    );
  });

  it('with -v has each of them', async () => {
    const { docker } = await withAll();
    const { out } = await docker('system df -v');
    expect(out).toMatch(/^Images space usage:\n\nREPOSITORY .* SHARED SIZE {3}UNIQUE SIZE {3}CONTAINERS\n/);
    expect(out).toMatch(/\nlayerbox\/site {6}latest .* 993B {10}0\n/);
    expect(out).toMatch(
      /\n\nContainers space usage:\n\nCONTAINER ID .*\n[0-9a-f]{12} {3}busybox {3}"sleep" {3}1 +0B .* web\n/,
    );
    expect(out).toMatch(/\n\nLocal Volumes space usage:\n\nVOLUME NAME .*\n(?:.*\n)*data .* 1 +0B\n/);
    expect(out).toMatch(/\n\nBuild cache usage: 0B\n\nCACHE ID .*\n$/);
    const document = JSON.parse((await docker('system df --verbose --format json')).out);
    expect(Object.keys(document)).toEqual(['Images', 'Containers', 'Volumes', 'BuildCache']);
    expect(document.Containers.map(({ Names }: { Names: string }) => Names)).toEqual(['web', 'done', 'made']);
    expect(
      (await docker(['system', 'df', '-v', '--format', '{{len .Volumes}}{{range .Images}}{{.Tag}}{{end}}']))
        .out,
    ).toMatch(/^3latest/);
    expect((await docker(['system', 'df', '-v', '--format', 'table {{.Images}}'])).code).toBe(1);
  });
});

describe('docker search', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['search busybox --format {{.Name}}:{{.IsOfficial}}:{{.StarCount}}', 'busybox:[OK]:0\n'],
    ['search LAYERBOX/ --format {{.Name}}', 'layerbox/changed\nlayerbox/site\n'],
    ['search library/busy --format {{.Name}}', 'busybox\n'],
    ['search box --limit 1 --format {{.Name}}', 'busybox\n'],
    ['search box -f is-official=false --format {{.Name}}', 'layerbox/changed\nlayerbox/site\n'],
    ['search box --filter is-official=true --format {{.Name}}', 'busybox\n'],
    ['search box -f stars=1 --format {{.Name}}', ''],
    ['search box -f is-automated=true --format {{.Name}}', ''],
    ['search busybox --format {{.Description}}', 'latest, 1.35, 1.35.0 in layout http://layout…\n'],
    [
      'search busybox --no-trunc --format {{.Description}}',
      'latest, 1.35, 1.35.0 in layout http://layout.test/\n',
    ],
    ['search nosuch', 'NAME      DESCRIPTION   STARS     OFFICIAL\n'],
  ];
  it.each(rows)('docker %s', async (line, want) => {
    const { docker } = await openSandbox();
    expect(await docker(line)).toEqual({ code: 0, out: want, err: '' });
  });

  it('looks through the catalog of a registry that is named', async () => {
    const { docker } = await openSandbox({
      fetch: async (url) =>
        url === 'http://localhost:5000/v2/_catalog?n=1000' || url === 'http://localhost:5000/v2/_catalog'
          ? new Response(jsonBytes({ repositories: ['team/app', 'team/base', 'other'] }))
          : new Response('{}', { status: 404 }),
    });
    expect((await docker('search localhost:5000/team --format {{.Name}}')).out).toBe(
      'localhost:5000/team/app\nlocalhost:5000/team/base\n',
    );
  });

  it('tells of places that do not answer', async () => {
    const { docker } = await openSandbox({
      fetch: async () => {
        throw new TypeError('Failed to fetch');
      },
    });
    const { code, err } = await docker('search registry.example/x');
    expect(code).toBe(1);
    expect(err).toMatch(/^WARNING: registry registry\.example was not searched: /);
  }, 60_000);

  const refused: readonly (readonly [string, string])[] = [
    ['search x --limit 101', 'Limit 101 is outside the range of [1, 100]'],
    ['search x -f nosuch=1', "invalid filter 'nosuch'"],
    ['search x -f is-official=maybe', "invalid filter 'is-official=maybe'"],
    ['search x -f stars=many', "invalid filter 'stars=many'"],
  ];
  it.each(refused)('docker %s is refused', async (line, message) => {
    const { docker } = await openSandbox();
    expect((await docker(line)).err).toBe(`Error response from daemon: ${message}\n`);
  });
});

describe('docker inspect', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['inspect -f {{.Name}} web', '/web\n'],
    ['inspect --type image -f {{.Architecture}} busybox', '386\n'],
    ['inspect --type volume -f {{.Name}} data', 'data\n'],
    ['inspect --type network -f {{.Driver}} bridge', 'bridge\n'],
    ['inspect -f {{.Driver}} idle', 'bridge\n'],
    ['inspect -f {{.Scope}} named', 'local\n'],
    ['inspect -f {{.SizeRw}} web', '<nil>\n'],
    ['inspect -s -f {{.SizeRootFs}} web', '2075056\n'],
    ['inspect --size --format {{.SizeRw}} web', '0\n'],
    ['container inspect -s -f {{.SizeRw}} web', '0\n'],
    [
      'inspect -f {{.ID}} --type image busybox',
      'sha256:6f90ae6bfde5743b93737f535ea024d51758fa62da38da7ba5f513db72be03f4\n',
    ],
  ];
  it.each(rows)('docker %s', async (line, want) => {
    shared ??= withAll();
    const { docker } = await shared;
    expect(await docker(line)).toEqual({ code: 0, out: want, err: '' });
  });

  const missing: readonly (readonly [string, string])[] = [
    ['inspect nosuch', 'Error: No such object: nosuch'],
    ['inspect --type container busybox', 'Error response from daemon: No such container: busybox'],
    ['inspect --type image web', 'Error response from daemon: No such image: web:latest'],
    ['image inspect web', 'Error response from daemon: No such image: web:latest'],
    ['container inspect busybox', 'Error response from daemon: No such container: busybox'],
  ];
  it.each(missing)('docker %s finds nothing', async (line, message) => {
    shared ??= withAll();
    const { docker } = await shared;
    expect(await docker(line)).toEqual({ code: 1, out: '[]\n', err: `${message}\n` });
  });

  it('refuses kinds that there are not, and templates that are none', async () => {
    const { docker } = await openSandbox();
    const known =
      '"config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"';
    expect((await docker('inspect --type foo x')).err).toBe(`unknown type: "foo": must be one of ${known}\n`);
    expect((await docker(['inspect', '--type', '', 'x'])).err).toBe(
      `type is empty: must be one of ${known}\n`,
    );
    expect((await docker('inspect --type secret x')).err).toBe(
      'docker: inspecting a secret is not yet supported by Layerbox\n',
    );
    expect((await docker('inspect -f {{.Name x')).code).toBe(64);
  });

  it('prints what was found before a template that does not fit', async () => {
    shared ??= withAll();
    const { docker } = await shared;
    expect(await docker('inspect -f {{.State.Status}} web busybox')).toEqual({
      code: 1,
      out: 'running\n',
      err: 'template parsing error: template: :1:8: executing "" at <.State.Status>: map has no entry for key "State"\n',
    });
  });
});

let shared: Promise<TestSandbox> | undefined;

describe('docker version and info', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['version -f {{.Client.Version}}/{{.Server.Version}}', '28.2.2/0.1.0\n'],
    ['version --format {{.Server.Os}}\\t', 'linux\\t\n'],
    ['info -f {{.Containers}}:{{.ContainersRunning}}:{{.ContainersStopped}}:{{.Images}}', '3:1:2:3\n'],
    ['info --format {{.Driver}}:{{join_.Plugins.Network_","}}', 'memory:bridge,host,null\n'],
    ['system info -f {{.OSType}}', 'linux\n'],
  ];
  it.each(rows)('docker %s', async (line, want) => {
    shared ??= withAll();
    const { docker } = await shared;
    const argv = line.split(' ').map((word) => word.replaceAll('_', ' '));
    expect(await docker(argv)).toEqual({ code: 0, out: want, err: '' });
  });

  it('are JSON with --format json, and text without', async () => {
    const { docker } = await openSandbox();
    expect(JSON.parse((await docker('version -f json')).out)).toMatchObject({
      Client: { Context: 'default' },
    });
    expect(JSON.parse((await docker('info -f json')).out)).toMatchObject({ Containers: 0, OSType: 'linux' });
    expect((await docker('version')).out).toMatch(/^Client: Layerbox/);
    expect((await docker('info')).out).toMatch(/^Client: Layerbox/);
  });

  it('tell what is wrong with a template in the words of docker 28.2.2', async () => {
    const { docker } = await openSandbox();
    expect(await docker('version -f {{.Client.Nope')).toEqual({
      code: 64,
      out: '',
      err: 'template parsing error: template: version:1: unclosed action\n',
    });
    expect(await docker('info -f {{.ID')).toEqual({
      code: 64,
      out: '',
      err: 'template parsing error: template: :1: unclosed action\n',
    });
  });
});
