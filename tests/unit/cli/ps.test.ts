/** `docker ps`: its filters, its fields, and how it writes ports. */

import { describe, expect, it } from 'vitest';
import { portsText } from '../../../src/engine/cli/container-document.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

const programs: Record<string, ProgramCode> = {
  sh: async () => 0,
  fail: async () => 3,
  sleep: async (program) => 128 + (await program.killed),
};

/** made, done and failed do not run; web and other do. */
async function withContainers(): Promise<TestSandbox> {
  const sandbox = await openWithBusybox({ programs });
  const lines = [
    'tag busybox my/app:1',
    'network create mynet',
    'create --name made -l tier=back my/app:1 sh',
    'run --name done busybox sh',
    'run --name failed busybox fail',
    'run -d --name web -l tier=front -p 8080:80 -p 53:53/udp --expose 443 -v data:/data -v /anon --health-cmd true busybox sleep',
    'run -d --name other --network mynet busybox sleep',
  ];
  for (const line of lines) {
    sandbox.clock.now += 1000;
    const { code, err } = await sandbox.docker(line);
    expect({ line, code, err }).toEqual({ line, code: line.includes('fail') ? 3 : 0, err: '' });
  }
  return sandbox;
}

/** One for all that only look. */
let shared: Promise<TestSandbox> | undefined;

function lookedAt(): Promise<TestSandbox> {
  shared ??= withContainers();
  return shared;
}

async function names(line: string): Promise<string> {
  const { docker } = await lookedAt();
  const { code, out, err } = await docker([...line.split(' '), '--format', '{{.Names}}']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.trimEnd().replaceAll('\n', ' ');
}

describe('docker ps', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['ps', 'other web'],
    ['ps -a', 'other web failed done made'],
    ['ps -l', 'other'],
    ['ps --latest', 'other'],
    ['ps -n 3', 'other web failed'],
    ['ps --last 1 -f status=created', 'made'],
    ['ps -f status=exited', 'failed done'],
    ['ps -f status=exited -f status=created', 'failed done made'],
    ['ps -a -f exited=3', 'failed'],
    ['ps -f exited=3', ''],
    ['ps -a -f exited=3 -f exited=0', 'failed done'],
    ['ps -a -f name=o', 'other done'],
    ['ps -a -f name=^/?made$', 'made'],
    ['ps -a -f name=made -f name=web', 'web made'],
    ['ps -a -f label=tier', 'web made'],
    ['ps -a -f label=tier=back', 'made'],
    ['ps -a -f label!=tier', 'other failed done'],
    ['ps -a -f ancestor=my/app:1', 'other web failed done made'],
    ['ps -a -f ancestor=nosuch', ''],
    ['ps -a -f before=done', 'made'],
    ['ps -a -f since=failed', 'other web'],
    ['ps -a -f since=done -f before=web', 'failed'],
    ['ps -a -f volume=data', 'web'],
    ['ps -a -f volume=/anon', 'web'],
    ['ps -a -f volume=nosuch', ''],
    ['ps -a -f network=mynet', 'other'],
    ['ps -f network=bridge', 'web'],
    ['ps -a -f publish=8080', 'web'],
    ['ps -a -f publish=80', ''],
    ['ps -a -f publish=8000-8100/tcp', 'web'],
    ['ps -a -f publish=53/udp', 'web'],
    ['ps -a -f publish=53', ''],
    ['ps -a -f expose=443', 'web'],
    ['ps -a -f expose=80', 'web'],
    ['ps -a -f health=starting', 'web'],
    ['ps -a -f health=none', 'other failed done made'],
    ['ps -a -f health=healthy', ''],
  ];
  it.each(rows)('docker %s', async (line, want) => {
    expect(await names(line)).toBe(want);
  });

  it('filters by the ID of a container, of an image and of a network', async () => {
    const { docker } = await lookedAt();
    const id = (await docker('ps -q -f name=web')).out.trim();
    expect(await names(`ps -a -f id=${id}`)).toBe('web');
    const image = (await docker('images -q my/app')).out.trim();
    expect(await names(`ps -f ancestor=${image}`)).toBe('other web');
    const network = (await docker('network ls -q -f name=mynet')).out.trim();
    expect(await names(`ps -f network=${network}`)).toBe('other');
  });

  it('filters by an image that others are built on, not the other way round', async () => {
    const sandbox = await openWithBusybox({
      programs: {
        ...programs,
        write: async ({ root }) => {
          root?.create(root.root, 'written', 0o644, { uid: 0, gid: 0 });
          return 0;
        },
      },
    });
    for (const line of [
      'run --name one busybox write',
      'commit one middle',
      'run --name two middle sh',
      'commit -m again one again',
      'create --name three again sh',
    ]) {
      expect(await sandbox.docker(line)).toMatchObject({ code: 0, err: '' });
    }
    const of = async (image: string) => {
      const { out } = await sandbox.docker(['ps', '-a', '-f', `ancestor=${image}`, '--format', '{{.Names}}']);
      return out.trim().split('\n').sort();
    };
    expect(await of('busybox')).toEqual(['one', 'three', 'two']);
    // the layers of both are the same: neither is built on the other
    expect(await of('middle')).toEqual(['two']);
    expect(await of('again')).toEqual(['three']);
  });

  const refused: readonly (readonly [string, string])[] = [
    ['nosuch=1', "invalid filter 'nosuch'"],
    ['status=up', "invalid filter 'status=up'"],
    ['health=well', "invalid filter 'health=well'"],
    ['exited=x', `invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax`],
    ['before=nosuch', 'No such container: nosuch'],
    ['publish=http', "invalid filter 'publish=http'"],
    ['publish=90-80', "invalid filter 'publish=90-80'"],
  ];
  it.each(refused)('refuses the filter %s', async (filter, message) => {
    const { docker } = await lookedAt();
    expect(await docker(`ps -f ${filter}`)).toEqual({
      code: 1,
      out: '',
      err: `Error response from daemon: ${message}\n`,
    });
  });

  const fields: readonly (readonly [string, string])[] = [
    ['{{.Ports}}', '0.0.0.0:53->53/udp, 443/tcp, 0.0.0.0:8080->80/tcp'],
    ['{{.Networks}} {{.LocalVolumes}}', 'bridge 2'],
    ['{{.Mounts}}', expect.stringMatching(/^(?:data,[0-9a-f]{14}…|[0-9a-f]{14}…,data)$/)],
    ['{{.Label "tier"}} {{.Labels}}', 'front tier=front'],
    ['{{.State}} {{.Status}}', expect.stringMatching(/^running Up .* \(health: starting\)$/)],
    ['{{.Platform}} {{.Image}}', 'linux/386 busybox'],
  ];
  it.each(fields)('has the field %s', async (format, want) => {
    const { docker } = await lookedAt();
    const { out } = await docker(['ps', '-f', 'name=web', '--format', format]);
    expect(out.trimEnd()).toEqual(want);
  });

  it('does not cut with --no-trunc, and counts bytes with -s', async () => {
    const { docker } = await lookedAt();
    expect((await docker('ps --no-trunc -f name=web --format {{.Mounts}}')).out).toMatch(/[0-9a-f]{64}/);
    expect((await docker('ps -q --no-trunc')).out).toMatch(/^[0-9a-f]{64}\n/);
    expect((await docker('ps -s')).out).toMatch(/SIZE\n.* {3}0B \(virtual 2\.08MB\)\n/);
    expect((await docker('ps')).out).not.toContain('SIZE');
  });
});

describe('ports', () => {
  it('are written in the order of docker 28.2.2', () => {
    const port = (containerPort: number, ip?: string, hostPort = containerPort, protocol = 'tcp') => ({
      containerPort,
      protocol,
      ...(ip !== undefined && { host: { ip, port: hostPort } }),
    });
    const any = '0.0.0.0';
    const ports = [
      ...[port(80, any, 8080), port(80, '::', 8080), port(443), port(444), port(53, any, 53, 'udp')],
      ...[port(9000, any), port(9001, any), port(9003, any), port(9004, any), port(81, '127.0.0.1')],
      ...[port(7000, any, 7100), port(7001, any, 7101)],
    ];
    expect(portsText(ports)).toBe(
      '0.0.0.0:9000-9001->9000-9001/tcp, 0.0.0.0:53->53/udp, 127.0.0.1:81->81/tcp, 443-444/tcp, ' +
        '0.0.0.0:9003-9004->9003-9004/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 0.0.0.0:7100->7000/tcp, 0.0.0.0:7101->7001/tcp',
    );
    expect(portsText([])).toBe('');
  });
});
