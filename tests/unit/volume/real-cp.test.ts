/** `docker cp` on the real kernel: typed in the host's shell, of containers that run and that do not. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testMachine } from '../../support/machine.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await openWithBusybox({ machine: testMachine() });
  await sh('mkdir -p site/css; echo page > site/index; echo style > site/css/main; ln -s site/index link');
}, 120_000);
afterAll(() => sandbox.engine.close(), 60_000);

const sh = (line: string) => sandbox.sh(line);

async function at(name: string, line: string): Promise<string> {
  const { out, err } = await sandbox.docker(['exec', name, 'sh', '-c', line]);
  return out + err;
}

async function running(name: string, flags = ''): Promise<void> {
  const { code, err } = await sandbox.docker(`run -d --name ${name} ${flags} busybox sleep 1000`);
  expect({ code, err }).toEqual({ code: 0, err: '' });
}

describe('docker cp to a container that runs', () => {
  it('is seen at once, also where nothing was, or something else', async () => {
    await running('web');
    expect(await at('web', 'ls /srv /tmp 2>/dev/null; cat /tmp/index 2>/dev/null; mknod /node c 1 3')).toBe(
      '/tmp:\n',
    );
    expect(await sh('docker cp site/index web:/tmp')).toBe('0');
    expect(await at('web', 'cat /tmp/index')).toBe('page\n');
    expect(await sh('echo new > other; docker cp other web:/tmp/index')).toBe('0');
    expect(await at('web', 'cat /tmp/index')).toBe('new\n');
    expect(await sh('docker cp site web:/srv; docker cp site web:/tmp; docker cp site/. web:/tmp')).toBe('0');
    expect(await at('web', 'cd /; ls /srv /tmp; cat /srv/css/main')).toBe(
      '/srv:\ncss\nindex\n\n/tmp:\ncss\nindex\nsite\nstyle\n'.replace('\nstyle\n', '\nstyle\n'),
    );
    const long = 'n'.repeat(150);
    expect(await sh(`mkdir -p long/${long}; echo deep > long/${long}/${long}; docker cp long web:/`)).toBe(
      '0',
    );
    expect(await at('web', `cat /long/${long}/${long}`)).toBe('deep\n');
  });

  it('copies a link as it is, and with -L what it leads to', async () => {
    expect(await sh('docker cp link web:/tmp/l; docker cp -L link web:/tmp/f')).toBe('0');
    expect(await at('web', 'readlink /tmp/l; cat /tmp/f')).toBe('site/index\npage\n');
  });

  it('reaches into its volumes, tmpfs excepted, and those of others who run', async () => {
    await running('one', '-v data:/data');
    await running('two', '-v data:/other');
    expect(await sh('docker cp site one:/data/')).toBe('0');
    expect(await at('two', 'cat /other/site/index')).toBe('page\n');
    expect(
      await sh('docker create --name three -v data:/third busybox; docker cp other three:/third/'),
    ).toMatch(/\n0$/);
    expect(await at('one', 'cat /data/other')).toBe('new\n');
    await sandbox.docker('rm -f one two three');
  });

  it('works while it is paused', async () => {
    await sandbox.docker('pause web');
    expect(
      await sh('docker cp other web:/tmp/while-paused; docker cp web:/etc/hostname got; wc -l < got'),
    ).toBe('1\n0');
    await sandbox.docker('unpause web');
    expect(await at('web', 'cat /tmp/while-paused')).toBe('new\n');
  });

  it.each([
    ['nope web:/tmp', 'lstat /root/nope: no such file or directory\n1'],
    ['site web:/etc/passwd', 'cannot copy directory\n1'],
    ['other web:/new/', 'no such directory\n1'],
    ['other web:/no/where', 'Error response from daemon: Could not find the file /no in container web\n1'],
    [
      'other web:/dev/null',
      'Error response from daemon: cannot copy to /dev: what is under /dev is made by the machine and out of reach of docker cp; use docker exec with tar\n1',
    ],
    ['other web:/node', 'destination "web:/node" must be a directory or a regular file: got a device\n1'],
    ['web:/etc/passwd no/where', 'invalid output path: directory "/root/no" does not exist\n1'],
    ['web:/nope .', 'Error response from daemon: Could not find the file /nope in container web\n1'],
    ['web:/etc other', 'cannot copy directory\n1'],
  ])('cp %s is refused: %s', async (words, said) => {
    expect(await sh(`docker cp ${words}`)).toBe(said);
  });
});

describe('docker cp from a container', () => {
  it('gives files and directories under the names that the rules say', async () => {
    await at(
      'web',
      'mkdir -p /out/sub; echo a > /out/a; echo b > /out/sub/b; chown 5:6 /out/a; ln -s a /out/l',
    );
    expect(
      await sh(
        'mkdir there; docker cp web:/out there; docker cp web:/out new; docker cp web:/out/. there; docker cp web:/out/a renamed; docker cp -L web:/out/l .; find there new renamed l | sort; cat renamed l new/sub/b',
      ),
    ).toBe(
      'l\nnew\nnew/a\nnew/l\nnew/sub\nnew/sub/b\nrenamed\nthere\nthere/a\nthere/l\nthere/out\nthere/out/a\nthere/out/l\nthere/out/sub\nthere/out/sub/b\nthere/sub\nthere/sub/b\na\na\nb\n0',
    );
    // whose the copies are: the user's who copies
    expect(await sh('stat -c "%u %g" renamed')).toBe('0 0\n0');
  });

  it('is a tar on standard output, and one on standard input', async () => {
    expect(await sh('docker cp web:/out - | tar -t')).toBe('out/\nout/a\nout/l\nout/sub/\nout/sub/b\n0');
    expect(await sh('docker cp web:/out - | docker cp - web:/var; echo $PIPESTATUS')).toBe('0\n0');
    expect(await at('web', 'cat /var/out/sub/b; stat -c %u /var/out/a')).toBe('b\n5\n');
  });

  it('tells how much on a terminal or when asked, not with -q', async () => {
    expect(await sh('docker cp -q=false other web:/tmp/x')).toBe(
      'Successfully copied 2.05kB to web:/tmp/x\n0',
    );
    expect(await sh('docker cp -q=false web:/out/a x')).toBe('Successfully copied 2.05kB to /root/x\n0');
    expect(await sh('docker cp -q other web:/tmp/x')).toBe('0');
  });
});

describe('docker cp of a container that does not run', () => {
  it('is there when it starts, also in a bind of the home', async () => {
    await sh(
      'mkdir shared; docker create --name still -v /root/shared:/shared -v idle:/idle busybox sleep 1000',
    );
    expect(
      await sh('docker cp site still:/srv; docker cp other still:/shared/; docker cp other still:/idle/'),
    ).toBe('0');
    expect(await sh('cat shared/other')).toBe('new\n0');
    await sandbox.docker('start still');
    expect(await at('still', 'cat /srv/css/main /shared/other /idle/other')).toBe('style\nnew\nnew\n');
    await sandbox.docker('rm -f still');
    expect(
      await sh('docker create --name again -v idle:/idle busybox; docker cp again:/idle/other - | tar -xO'),
    ).toMatch(/\nnew\n0$/);
  });
});
