/** `docker images`, `tag`, `history`, `image prune`: each flag, and that it does something. */

import { describe, expect, it } from 'vitest';
import { FakeClient } from '../container/fake-client.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { input, openSandbox, openWithBusybox, type TestSandbox, until } from '../container/sandbox.ts';

const programs: Record<string, ProgramCode> = {
  sh: async () => 0,
  sleep: async (program) => 128 + (await program.killed),
};

/** busybox under two names, layerbox/site, and busybox 1.35 without a name. */
async function withImages(): Promise<TestSandbox> {
  const sandbox = await openWithBusybox({ programs });
  for (const line of ['tag busybox my/app:1', 'pull -q layerbox/site', 'create --name site layerbox/site']) {
    expect((await sandbox.docker(line)).code).toBe(0);
  }
  return sandbox;
}

/** One for all that only look. */
let shared: Promise<TestSandbox> | undefined;

function lookedAt(): Promise<TestSandbox> {
  shared ??= withImages();
  return shared;
}

/** layerbox/changed, which has lost its name to busybox. */
async function withDangling(): Promise<TestSandbox> {
  const sandbox = await openWithBusybox({ programs });
  for (const line of ['pull -q layerbox/changed', 'tag busybox layerbox/changed']) {
    expect((await sandbox.docker(line)).code).toBe(0);
  }
  return sandbox;
}

describe('docker images', () => {
  it('has the table of Docker 29: a line per name, by name, and what is in use', async () => {
    const { docker } = await withImages();
    expect((await docker('images')).out.split('\n')).toEqual([
      'IMAGE                  ID             DISK USAGE   CONTENT SIZE   EXTRA',
      expect.stringMatching(
        /^busybox:latest {9}[0-9a-f]{12} {8}\d\.\d+MB {9}\d\.?\d*MB {8}$|^busybox:latest/,
      ),
      expect.stringMatching(/^layerbox\/site:latest {3}[0-9a-f]{12} .* {5}U {2}$/),
      expect.stringMatching(/^my\/app:1 /),
      '',
    ]);
  });

  it('hides what has no name there, unless it is asked for', async () => {
    const { docker } = await withDangling();
    expect((await docker('images')).out).not.toContain('<untagged>');
    for (const line of ['images -a', 'images --all', 'images -f dangling=true']) {
      expect((await docker(line)).out).toMatch(/\n<untagged> +[0-9a-f]{12} /);
    }
  });

  const forms = [
    '--format table',
    '--no-trunc',
    '--digests',
    '-q',
    '--format {{.Repository}}',
    '--format json',
  ];
  it.each(forms)('hides it with %s too, unless -a or the filter asks', async (flags) => {
    const { docker } = await withDangling();
    const { out: named } = await docker(`images ${flags}`);
    const rows = (text: string) => text.trimEnd().split('\n').length;
    const { out: all } = await docker(`images -a ${flags}`);
    const { out: dangling } = await docker(`images -f dangling=true ${flags}`);
    const header = /^REPOSITORY/.test(named) ? 1 : 0;
    expect([named, all, dangling].map((text) => rows(text) - header)).toEqual([2, 3, 1]);
  });

  it('on a terminal has a legend, and gives a long name a line of its own', async () => {
    const { docker, machine } = await withImages();
    await docker('tag busybox registry.example/a-long/name/of-a-repository:and-a-tag');
    await until('the machine runs', () => machine.state.status === 'running');
    const client = new FakeClient('images', true, { rows: 24, columns: 80 });
    machine.connect(client);
    expect(await client.exited).toBe(0);
    const lines = client.out.replaceAll('\r', '').split('\n');
    expect(lines[0]).toBe('i Info →   U  In Use'.padStart(80));
    expect(lines[1]).toBe(`${'IMAGE'.padEnd(29)}   ID             DISK USAGE   CONTENT SIZE   EXTRA`);
    const long = lines.indexOf('registry.example/a-long/name/of-a-repository:and-a-tag');
    expect(lines[long + 1]).toMatch(/^ {32}[0-9a-f]{12} /);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('with --tree has the platforms below each image', async () => {
    const { docker } = await openWithBusybox();
    expect((await docker('images --tree')).out).toMatch(/\nbusybox:latest .*\n└─ linux\/386 .*\n$/);
    for (const flag of ['--quiet', '--no-trunc', '--format=x']) {
      const name = flag.replace(/=.*/, '');
      expect(await docker(`images --tree ${flag}`)).toEqual({
        code: 1,
        out: '',
        err: `${name} is not yet supported with --tree\n`,
      });
    }
    expect((await docker('images --tree --digests')).err).toBe(
      '--show-digest is not yet supported with --tree\n',
    );
  });

  const rows: readonly (readonly [string, string])[] = [
    ['images -q', 'SITE\nBUSY\nBUSY\n'],
    ['images --quiet --no-trunc busybox', 'sha256:BUSY…\n'],
    ['images --format {{.Repository}}:{{.Tag}}', 'layerbox/site:latest\nbusybox:latest\nmy/app:1\n'],
    ['images --format {{.ID}} --no-trunc busybox', 'sha256:BUSY…\n'],
    ['images --format {{.Digest}} busybox', 'sha256:92cf42fecac6…\n'],
    ['images --digests --format {{.Tag}} busybox', 'latest\n'],
    ['images -f reference=busy* --format {{.Tag}}', 'latest\n'],
    ['images -f reference=*/* --format {{.Repository}}', 'layerbox/site\nmy/app\n'],
    ['images -f reference=* --format {{.Repository}}', 'busybox\n'],
    ['images -f reference=[a-c]usybox:l?test --format {{.Repository}}', 'busybox\n'],
    ['images -f reference=busybox -f reference=my/app --format {{.Repository}}', 'busybox\nmy/app\n'],
    ['images -f dangling=true -q', ''],
    ['images -f dangling=false -q', 'SITE\nBUSY\nBUSY\n'],
    ['images -f until=24h --format {{.Repository}}', 'layerbox/site\nbusybox\nmy/app\n'],
    ['images -f until=2000-01-01 -q', ''],
    ['images -f label=nosuch -q', ''],
    ['images my/app --format {{.Tag}}', '1\n'],
    ['images my/app:2 -q', ''],
    ['images my/* --format {{.Tag}}', '1\n'],
    ['images --format raw my/app -q', 'image_id: BUSY\n'],
  ];
  it.each(rows)('docker %s', async (line, want) => {
    const { docker } = await lookedAt();
    const ids = (await docker('images --format {{.Repository}}={{.ID}}')).out;
    const id = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(ids)?.[1] ?? 'none';
    const { code, out, err } = await docker(line);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const shown = out
      .replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…')
      .replaceAll(id('busybox'), 'BUSY')
      .replaceAll(id('layerbox/site'), 'SITE');
    expect(shown).toBe(want);
  });

  it('as JSON has the fields of Docker, sorted, and fit for HTML', async () => {
    const { docker } = await withDangling();
    const { out } = await docker('images --format json -f dangling=true');
    expect(out).toMatch(
      /^\{"Containers":"N\/A","CreatedAt":"20.* UTC","CreatedSince":".* ago","Digest":"\\u003cnone\\u003e","ID":"[0-9a-f]{12}","Repository":"\\u003cnone\\u003e","SharedSize":"N\/A","Size":"[\d.]+MB","Tag":"\\u003cnone\\u003e","UniqueSize":"N\/A","VirtualSize":"[\d.]+MB"\}\n$/,
    );
  });

  it('has the classic table with --format table, and with --digests one column more', async () => {
    const { docker } = await openWithBusybox();
    expect((await docker('images --format table')).out).toMatch(
      /^REPOSITORY {3}TAG {7}IMAGE ID {7}CREATED +SIZE\nbusybox /,
    );
    expect((await docker('images --digests')).out).toMatch(/^REPOSITORY {3}TAG {7}DIGEST {68}IMAGE ID /);
    expect((await docker('images --no-trunc')).out).toMatch(/\nbusybox {6}latest {4}sha256:[0-9a-f]{64} /);
  });

  it('with before and since has what was made before and after another', async () => {
    const { docker } = await openWithBusybox();
    await docker('create --name made busybox');
    expect((await docker('commit made newer')).code).toBe(0);
    const names = async (filter: string) =>
      (await docker(`images --format {{.Repository}} -f ${filter}`)).out;
    expect(await names('before=newer')).toBe('busybox\n');
    expect(await names('before=busybox')).toBe('');
    expect(await names('since=busybox')).toBe('newer\n');
    expect(await names('since=newer')).toBe('');
  });

  const refused: readonly (readonly [string, string])[] = [
    ['images -f nosuch=1', "invalid filter 'nosuch'"],
    ['images -f dangling=maybe', "invalid filter 'dangling=maybe'"],
    ['images -f before=nosuch', 'No such image: nosuch:latest'],
    ['images -f reference=[a', 'syntax error in pattern: [a'],
    [
      'images -f until=yesterday',
      'failed to parse time: yesterday: write a timestamp or a duration, such as 24h',
    ],
  ];
  it.each(refused)('docker %s is refused', async (line, message) => {
    const { docker } = await lookedAt();
    expect(await docker(line)).toEqual({ code: 1, out: '', err: `Error response from daemon: ${message}\n` });
  });

  it('shows no escape sequences of names or labels', async () => {
    const { docker } = await openWithBusybox();
    const { err } = await docker(['images', '-f', 'reference=\x1b[2J']);
    expect(err).not.toContain('\x1b');
  });
});

describe('docker tag', () => {
  it('gives a further name, by name and by ID, and takes it from what had it', async () => {
    const { docker } = await openWithBusybox();
    await docker('pull -q layerbox/site');
    expect(await docker('tag busybox my/app:1')).toEqual({ code: 0, out: '', err: '' });
    const id = (await docker('images -q layerbox/site')).out.trim();
    expect((await docker(['tag', id, 'localhost:5000/x'])).code).toBe(0);
    expect((await docker('images -q localhost:5000/x')).out.trim()).toBe(id);
    expect((await docker('image tag layerbox/site my/app:1')).code).toBe(0);
    expect((await docker('images -q my/app:1')).out.trim()).toBe(id);
  });

  const refused: readonly (readonly [string, string])[] = [
    ['tag nosuch x', 'Error response from daemon: No such image: nosuch:latest'],
    [
      'tag busybox Big',
      'Error parsing reference: "Big" is not a valid repository/tag: invalid reference format: repository name (library/Big) must be lowercase',
    ],
    ['tag busybox a b', "docker: 'docker tag' requires 2 arguments"],
    [`tag busybox x@sha256:${'0'.repeat(64)}`, 'refusing to create a tag with a digest reference'],
  ];
  it.each(refused)('docker %s is refused', async (line, message) => {
    const { docker } = await lookedAt();
    const { code, err } = await docker(line);
    expect({ code, err: err.split('\n')[0] }).toEqual({ code: 1, err: message });
  });
});

describe('docker history', () => {
  it('tells the steps, newest first', async () => {
    const { docker } = await openSandbox();
    await docker('pull -q layerbox/changed');
    const { out } = await docker('history layerbox/changed');
    const [header, first, ...others] = out.trimEnd().split('\n');
    expect(header).toMatch(/^IMAGE {10}CREATED +CREATED BY +SIZE +COMMENT$/);
    expect(first).toMatch(/^[0-9a-f]{12} {3}\d+ hours ago /);
    for (const line of others) expect(line).toMatch(/^<missing> {6}/);
    expect((await docker('image history layerbox/changed')).out).toBe(out);
  });

  const rows: readonly (readonly [string, RegExp])[] = [
    ['history -q busybox', /^[0-9a-f]{12}\n(?:<missing>\n)*$/],
    ['history -q --no-trunc busybox', /^sha256:[0-9a-f]{64}\n/],
    ['history --human=false --format {{.Size}} layerbox/changed', /^\d+\n/],
    ['history -H=false layerbox/changed', / {3}20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ {3}/],
    ['history --format {{.CreatedSince}} busybox', /^\d+ hours ago\n/],
    [
      'history --format json busybox',
      /^\{"Comment":.*"CreatedAt":.*"CreatedBy":.*"CreatedSince":.*"ID":.*"Size":"/,
    ],
  ];
  it.each(rows)('docker %s', async (line, want) => {
    const { docker } = await openWithBusybox();
    await docker('pull -q layerbox/changed');
    const { code, out } = await docker(line);
    expect(code).toBe(0);
    expect(out).toMatch(want);
  });

  it('cuts long words, unless --no-trunc says otherwise', async () => {
    const { docker } = await openSandbox();
    await docker('pull -q layerbox/site');
    const words = (await docker('history --format {{.CreatedBy}} layerbox/site')).out.split('\n');
    const whole = (await docker('history --no-trunc --format {{.CreatedBy}} layerbox/site')).out.split('\n');
    const long = whole.findIndex((line) => line.length > 45);
    expect(long).toBeGreaterThanOrEqual(0);
    expect(words[long]).toBe(`${whole[long]?.slice(0, 44)}…`);
  });

  it('of what is not here says so', async () => {
    const { docker } = await openSandbox();
    expect((await docker('history nosuch')).err).toBe(
      'Error response from daemon: No such image: nosuch:latest\n',
    );
  });
});

describe('docker image prune', () => {
  const WARNING = 'WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] ';

  it.each(['n\n', '\n', '', 'yes\n', 'no'])('removes nothing when the answer is %j', async (answer) => {
    const { docker } = await withDangling();
    expect(await docker('image prune', { input: input(answer) })).toEqual({ code: 0, out: WARNING, err: '' });
    expect((await docker('images -q -f dangling=true')).out).not.toBe('');
  });

  it.each(['y\n', 'Y\n', 'y'])('removes what has no name when the answer is %j', async (answer) => {
    const { docker } = await withDangling();
    const { code, out } = await docker('image prune', { input: input(answer) });
    expect(code).toBe(0);
    expect(out.slice(WARNING.length)).toMatch(
      /^Deleted Images:\ndeleted: sha256:[0-9a-f]{64}\n(?:deleted: sha256:[0-9a-f]{64}\n)*\nTotal reclaimed space: [\d.]+[kM]?B\n$/,
    );
    expect((await docker('images --format {{.Repository}}')).out).toBe('layerbox/changed\nbusybox\n');
  });

  it('tells the bytes that the store has given back', async () => {
    const { docker, stores } = await withDangling();
    const bytes = async () => (await stores.content.list()).reduce((sum, { size }) => sum + size, 0);
    const before = await bytes();
    const { out } = await docker('image prune -f');
    const freed = before - (await bytes());
    const [, number = '', unit = ''] = /Total reclaimed space: ([\d.]+)(k?B)\n$/.exec(out) ?? [];
    expect(freed).toBeGreaterThan(0);
    // the packed index of the layer comes on top
    expect(Number(number) * (unit === 'kB' ? 1000 : 1)).toBeGreaterThanOrEqual(
      Math.trunc(freed / 10) * 10 - 10,
    );
  });

  it('with -a removes all that no container is of, by all their names', async () => {
    const { docker } = await withImages();
    const { out } = await docker('image prune -af');
    expect(out).toMatch(/^Deleted Images:\nuntagged: busybox:latest\nuntagged: my\/app:1\n/);
    expect((await docker('images --format {{.Repository}}')).out).toBe('layerbox/site\n');
    expect((await docker('image prune --all --force')).out).toBe('Total reclaimed space: 0B\n');
    const asked = await docker('image prune -a', { input: input('n\n') });
    expect(asked.out).toMatch(
      /^WARNING! This will remove all images without at least one container associated to them\.\n/,
    );
  });

  const filters: readonly (readonly [string, number])[] = [
    ['until=1h', 0],
    ['until=1000000h', 1],
    ['label=nosuch', 1],
    ['label!=nosuch', 0],
    ['dangling=true', 0],
  ];
  it.each(filters)('with --filter %s leaves %i', async (filter, left) => {
    const { docker } = await withDangling();
    expect((await docker(`image prune -f --filter ${filter}`)).code).toBe(0);
    expect((await docker('images -q -f dangling=true')).out.split('\n').length - 1).toBe(left);
  });

  it('with --filter dangling=false is as -a', async () => {
    const { docker } = await openWithBusybox();
    await docker('image prune -f --filter dangling=false');
    expect((await docker('images -q')).out).toBe('');
  });

  it('refuses filters that are none', async () => {
    const { docker } = await openWithBusybox();
    expect((await docker('image prune -f --filter before=x')).err).toBe(
      "Error response from daemon: invalid filter 'before'\n",
    );
    expect((await docker('image prune --filter x')).code).toBe(125);
  });
});

describe('docker rmi', () => {
  it('of an ID with several names needs -f, and takes all of them', async () => {
    const { docker } = await openWithBusybox();
    await docker('tag busybox my/app:1');
    const id = (await docker('images -q busybox')).out.trim();
    const refused = await docker(`rmi ${id}`);
    expect(refused).toEqual({
      code: 1,
      out: '',
      err: `Error response from daemon: conflict: unable to delete ${id} (must be forced) - image is referenced in multiple repositories\n`,
    });
    const { out } = await docker(`rmi -f ${id}`);
    expect(out).toMatch(/^Untagged: busybox:latest\nUntagged: my\/app:1\n(?:.*\n)*Deleted: sha256:/);
    expect((await docker('images -q')).out).toBe('');
  });

  it('of one name of several only takes the name', async () => {
    const { docker } = await openWithBusybox();
    await docker('tag busybox my/app:1');
    expect((await docker('rmi my/app:1')).out).toMatch(/^Untagged: my\/app:1\n/);
    expect((await docker('images --format {{.Repository}}')).out).toBe('busybox\n');
  });

  it('by ID is refused even with -f while a container runs, and with -f leaves a stopped one alone', async () => {
    const { docker } = await openWithBusybox({ programs });
    await docker('run -d --name web busybox sleep');
    const id = (await docker('images -q busybox')).out.trim();
    const running = await docker(`rmi -f ${id}`);
    expect(running.err).toMatch(
      /^Error response from daemon: conflict: unable to delete \w+ \(cannot be forced\) - image is being used by running container \w{12}\n$/,
    );
    await docker('kill web');
    const stopped = await docker(`rmi ${id}`);
    expect(stopped.err).toMatch(/\(must be forced\) - image is being used by stopped container \w{12}\n$/);
    expect((await docker(`rmi --force ${id}`)).code).toBe(0);
    expect((await docker('ps -a --format {{.Image}}')).out).toBe('busybox\n');
  });

  it('goes on after one that is not there', async () => {
    const { docker } = await openWithBusybox();
    const { code, out, err } = await docker('rmi nosuch busybox');
    expect({ code, err }).toEqual({
      code: 1,
      err: 'Error response from daemon: No such image: nosuch:latest\n',
    });
    expect(out).toContain('Untagged: busybox:latest\n');
  });
});
