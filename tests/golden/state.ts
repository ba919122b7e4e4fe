/** A sandbox in a state worth showing: images, containers, volumes, networks, published ports, health, mounts, logs. */

import { cgroupFile } from '../../src/engine/container/limits.ts';
import type { ProgramCode } from '../unit/container/fake-machine.ts';
import { openSandbox, type TestSandbox } from '../unit/container/sandbox.ts';
import { words } from './case.ts';

const HOUR = 3_600_000;

const programs: Record<string, ProgramCode> = {
  sh: async () => 0,
  '/bin/sh': async () => 0,
  fail: async () => 3,
  sleep: async (program) => 128 + (await program.killed),
  '/sbin/docker-init': async (program) => 128 + (await program.killed),
  talk: async ({ out, err }) => {
    await out('one\n');
    await err('two: a warning\n');
    await out('three\nfour');
    return 0;
  },
  write: async ({ root }) => {
    if (root === undefined) return 1;
    const ino = root.create(root.root, 'written.txt', 0o644, { uid: 0, gid: 0 });
    root.write(ino, 0, new TextEncoder().encode('words\n'.repeat(1000)));
    return 0;
  },
  // the host's files are asked for by a script: what a command line names is not there
  '/bin/bash': async () => 44,
  // what the host's side reads of processes: proc(5), a field after the other
  bash: async ({ out }) => {
    const stat = (pid: number, parent: number, name: string) =>
      `${pid} (${name}) S ${parent} 101 101 0 -1 0 0 0 0 0 12 34 0 0 20 0 1 0 500 1048576 64`;
    const entries = [
      [stat(101, 1, 'sleep'), '0', '2', 'sleep', '1000'],
      [stat(117, 101, 'a (worker)'), '1000', '0'],
    ];
    await out([`${65}.00`, ...entries.flat()].map((field) => `${field}\0`).join(''));
    return 0;
  },
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
  await at(30 * HOUR, ...words('volume create --label com.example.use=kept kept'));
  await at(30 * HOUR, ...['volume', 'create']);
  await at(30 * HOUR, ...words('network create --label com.example.net=front --subnet 10.7.0.0/16 front'));
  await at(
    30 * HOUR,
    ...words('network create --internal --subnet 10.8.0.0/24 --gateway 10.8.0.9 -o mtu=1400 back'),
  );
  await at(29.5 * HOUR, ...DATABASE);
  await probed(sandbox);
  await at(29.4 * HOUR, ...words('run -d --name peer --network back --ip 10.8.0.20 busybox sleep 1000'));
  await at(29 * HOUR, 'pull', '-q', 'layerbox/site');
  await at(28 * HOUR, 'pull', '-q', 'layerbox/changed');
  await at(26 * HOUR, 'create', '--name', 'made', '--label', 'com.example.tier=back<end>', 'busybox', 'sh');
  await at(25 * HOUR, 'commit', '-m', 'what was made', 'made', 'committed:v1');
  await at(24 * HOUR, 'commit', '-m', 'what was made once more', 'made', 'committed:v1');
  await at(23 * HOUR, 'tag', 'committed:v1', 'registry.example:5000/team/app:1.0');
  await at(22 * HOUR, 'rmi', 'committed:v1');
  clock.now = now - 4 * HOUR;
  await sandbox.docker('run --name talker busybox talk');
  await at(3.5 * HOUR, 'run', '--name', 'writer', '--network', 'none', '--restart', 'no', 'busybox', 'write');
  await at(3 * HOUR, 'run', '--name', 'done', 'busybox', 'sh', '-c', 'echo "a long line of words"');
  clock.now = now - 2 * HOUR;
  await sandbox.docker('run --name failed --label tier=front busybox fail');
  await at(65_000, 'run', '-d', '--name', 'web', '-e', 'A=1', '-w', '/tmp', 'busybox', 'sleep', '1000');
  clock.now = now;
  await measure(sandbox);
  return sandbox;
}

/** Resolves when a health check has said how it is. */
async function probed({ docker }: TestSandbox): Promise<void> {
  const heard = new AbortController();
  const write = async () => heard.abort();
  await docker('events --since 0 --filter event=health_status', { write, signal: heard.signal });
}

/** Volumes of each sort, ports of each sort, limits, health: what `docker inspect` has to show. */
const DATABASE = [
  ...words('run -d --name db --hostname db.example --network front --network-alias database'),
  ...words('-v data:/var/lib/data -v /cache --tmpfs /scratch:size=1m --mount type=tmpfs,target=/run'),
  ...words('-p 8080:80 -p 127.0.0.1:9000-9001:9000-9001 -p 53:53/udp --expose 443'),
  ...words('--health-cmd true --health-interval 1h --health-start-period 1h --health-start-interval 20ms'),
  ...words('--restart on-failure:3 --stop-signal SIGINT --stop-timeout 5 --init -m 64m --cpus 0.5'),
  ...words('--pids-limit 50 --cap-add NET_ADMIN --cap-drop CHOWN --add-host other:10.0.0.7 --dns 10.0.0.8'),
  ...words('-u 1000:1000 -e PASSWORD=se=cret --label com.example.role=database busybox sleep 1000'),
];

/** What the cgroups of those that run say. */
async function measure({ docker, machine }: TestSandbox): Promise<void> {
  machine.files.set('/proc/uptime', '5000.00 4000.00');
  machine.files.set('/proc/meminfo', 'MemTotal:         131072 kB\n');
  const pairs = (await docker('ps -q --no-trunc')).out.trimEnd().split('\n');
  for (const [index, id] of pairs.entries()) {
    const set = (file: string, text: string) => machine.files.set(cgroupFile(id, file), text);
    set('cpu.stat', 'usage_usec 2500000\n');
    set('memory.current', String(3_000_000 + index * 1_234_567));
    set('memory.stat', 'inactive_file 500000\n');
    set('memory.max', index === 0 ? 'max' : '67108864');
    set('pids.current', String(1 + index));
    const pid = (await docker(['inspect', '-f', '{{.State.Pid}}', id])).out.trim();
    machine.files.set(`/proc/${pid}/net/dev`, `  lo: 9 0 0 0 0 0 0 0 9\neth0: 1234567 0 0 0 0 0 0 0 890\n`);
  }
}

/**
 * IDs of containers, networks and endpoints, names of volumes that nobody named, and what was committed are not the same
 * each time: what they are called, and what they are.
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
  await take('network', ['network', 'ls', '--no-trunc', '--format', '{{.Name}} {{.ID}}']);
  const nobodys = '{{if ge (len .Name) 64}}idle {{.Name}}{{else}}{{.Name}}{{end}}';
  await take('volume', ['volume', 'ls', '--filter', 'dangling=true', '--format', nobodys]);
  await take('volume', [
    ...['inspect', '-f'],
    '{{range .Mounts}}{{if eq .Destination "/cache"}}cache {{.Name}}{{end}}{{end}}',
    'db',
  ]);
  const endpoints =
    '{{range $name, $at := .NetworkSettings.Networks}}{{$name}} {{$at.EndpointID}}{{"\\n"}}{{end}}';
  for (const container of ['db', 'peer', 'web']) {
    await take(`endpoint of ${container}`, ['inspect', '-f', endpoints, container]);
  }
  return ids;
}
