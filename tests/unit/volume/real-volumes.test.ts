/** Volumes, binds and tmpfs on the real kernel. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testMachine } from '../../support/machine.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await openWithBusybox({ machine: testMachine() });
}, 120_000);
afterAll(() => sandbox.engine.close(), 60_000);

const sh = (line: string) => sandbox.sh(line);

/** A line in a new container with these flags: what it printed, errors too. */
async function run(flags: string, line: string): Promise<string> {
  const { out, err } = await sandbox.docker([
    ...`run --rm ${flags} busybox sh -c`.split(' ').filter((word) => word !== ''),
    line,
  ]);
  return out + err;
}

const docker = async (line: string) => {
  const { code, out, err } = await sandbox.docker(line);
  expect({ code, err }, line).toEqual({ code: 0, err: '' });
  return out.trim();
};

describe('a volume', () => {
  it('keeps what a container wrote for the next', async () => {
    expect(await run('-v keep:/data', 'echo hi > /data/a; mkdir /data/d; chmod 700 /data/d')).toBe('');
    expect(await run('-v keep:/elsewhere', 'cat /elsewhere/a; stat -c %a /elsewhere/d')).toBe('hi\n700\n');
  });

  it('has what the image has there, with owners and modes', async () => {
    expect(await run('-v etc:/etc', 'ls /etc/passwd; stat -c %a /etc/shadow')).toBe('/etc/passwd\n640\n');
    expect(await run('-v tmp:/tmp', 'stat -c "%a %u" /tmp')).toBe('1777 0\n');
  });

  it('is one for two containers that run: each sees at once what the other wrote', async () => {
    await docker('run -d --name writer -v shared:/w busybox sleep 1000');
    await docker('run -d --name reader -v shared:/r busybox sleep 1000');
    const at = async (name: string, line: string) => {
      const { out, err } = await sandbox.docker(['exec', name, 'sh', '-c', line]);
      return out + err;
    };
    expect(await at('reader', 'ls /r; cat /r/a 2>/dev/null; echo $?')).toBe('1\n');
    await at('writer', 'echo one > /w/a');
    expect(await at('reader', 'ls /r; cat /r/a')).toBe('a\none\n');
    await at('reader', 'echo two >> /r/a; ln /r/a /r/b; rm /r/a');
    expect(await at('writer', 'ls /w; cat /w/b')).toBe('b\none\ntwo\n');
    await at('writer', 'mkdir /w/d; mv /w/b /w/d/c');
    expect(await at('reader', 'cat /r/d/c')).toBe('one\ntwo\n');
    await docker('rm -f writer reader');
  });

  it('cannot be written where it is read-only, and a read-only root has it still', async () => {
    expect(await run('-v ro:/data:ro', 'touch /data/a')).toContain('Read-only file system');
    expect(await run('--read-only -v rw:/data --tmpfs /t', 'touch /data/a /t/b && touch /c')).toBe(
      'touch: /c: Read-only file system\n',
    );
  });

  it('does not show in docker diff but for the place where it is mounted', async () => {
    await sandbox.docker([
      'run',
      '--name',
      'changed',
      '-v',
      'diff:/new/place',
      '-v',
      'diff2:/etc',
      'busybox',
      'touch',
      '/new/place/a',
      '/etc/b',
    ]);
    expect((await docker('diff changed')).split('\n')).toEqual(['A /new', 'A /new/place']);
    await docker('rm changed');
  });

  it('can be mounted in part; no link in it leads out', async () => {
    await run('-v parts:/p', 'mkdir -p /p/sub/deep; echo x > /p/sub/f; ln -s /root /p/out; ln -s / /p/top');
    expect(await run('--mount src=parts,dst=/m,volume-subpath=sub', 'cat /m/f')).toBe('x\n');
    expect(await sh('touch /root/secret')).toBe('0');
    expect(await run('--mount src=parts,dst=/m,volume-subpath=out', 'ls /m')).toContain('cannot access path');
    expect(await run('--mount src=parts,dst=/m,volume-subpath=top', 'ls /m')).toBe('out\nsub\ntop\n');
  });

  it('is empty when it is made again under its name', async () => {
    await run('-v again:/a', 'touch /a/old');
    await docker('volume rm again');
    expect(await run('-v again:/a', 'ls /a')).toBe('');
  });

  it('that is empty is filled while a container has it', async () => {
    await docker('run -d --name holder -v late:/x busybox sleep 1000');
    expect((await sandbox.docker(['exec', 'holder', 'ls', '/x'])).out).toBe('');
    await docker('create --name filler -v late:/etc busybox');
    expect((await sandbox.docker(['exec', 'holder', 'ls', '/x/passwd'])).out).toBe('/x/passwd\n');
    await docker('rm -f holder filler');
  });
});

describe('a bind', () => {
  it('is a folder or file of the host', async () => {
    expect(await sh('mkdir -p /root/site; echo page > /root/site/index; echo one > /root/file')).toBe('0');
    expect(await run('-v /root/site:/www:ro -v /root/file:/f', 'cat /www/index /f; echo two > /f')).toBe(
      'page\none\n',
    );
    expect(await sh('cat /root/file')).toBe('two\n0');
    expect(await run('-v /root/site:/www:ro', 'touch /www/a')).toContain('Read-only file system');
  });

  it('of what is not there makes a folder', async () => {
    expect(await run('-v /root/made/here:/m', 'touch /m/a')).toBe('');
    expect(await sh('ls /root/made/here')).toBe('a\n0');
  });

  it('of a folder on a file is refused in Docker’s words', async () => {
    expect(await run('-v /root/site:/etc/passwd', 'true')).toContain(
      'error mounting "/root/site" to rootfs at "/etc/passwd": not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type',
    );
  });

  it('by --mount must be there', async () => {
    expect(await run('--mount type=bind,src=/root/nope,dst=/x', 'true')).toContain(
      'invalid mount config for type "bind": bind source path does not exist: /root/nope',
    );
    expect(await run('--mount type=bind,src=/etc/profile,dst=/x,ro', 'head -c 1 /x | wc -c')).toBe('1\n');
  });
});

describe('a tmpfs', () => {
  it('has the options of --tmpfs, and the mode of what is there', async () => {
    const line = 'grep -E " /(a|tmp|n) " /proc/mounts | cut -d" " -f2-4; stat -c %a /a /tmp /n';
    expect(await run('--tmpfs /a:size=64k,mode=750,exec --tmpfs /tmp --tmpfs /n:ro', line)).toBe(
      [
        '/a tmpfs rw,nosuid,nodev,relatime,size=64k,mode=750',
        '/tmp tmpfs rw,nosuid,nodev,noexec,relatime',
        '/n tmpfs ro,nosuid,nodev,noexec,relatime',
        '750',
        '1777',
        '1777',
        '',
      ].join('\n'),
    );
  });

  it('is full at its size, and gone with the container', async () => {
    expect(
      await run(
        '--mount type=tmpfs,dst=/a,tmpfs-size=8k,tmpfs-mode=700',
        'stat -c %a /a; dd if=/dev/zero of=/a/b bs=1k count=20',
      ),
    ).toContain('No space left on device');
    await docker('create --name memory --tmpfs /a busybox touch /a/b');
    await docker('start -a memory');
    expect(await docker('diff memory')).toBe('A /a');
    await docker('rm memory');
  });
});

describe('a volume with options', () => {
  it('is memory, one for all who run with it, and gone with the last of them', async () => {
    await docker('volume create -o type=tmpfs -o device=tmpfs -o o=size=64k,mode=750 memory');
    await docker('run -d --name one -v memory:/m busybox sleep 1000');
    const at = async (name: string, line: string) => {
      const { out, err } = await sandbox.docker(['exec', name, 'sh', '-c', line]);
      return out + err;
    };
    expect(await at('one', 'grep " /m " /proc/mounts | cut -d" " -f2-4; stat -c %a /m; echo hi > /m/a')).toBe(
      '/m tmpfs rw,relatime,size=64k,mode=750\n750\n',
    );
    expect(await run('-v memory:/n:ro', 'cat /n/a; touch /n/b')).toMatch(/^hi\n.*Read-only file system\n$/);
    expect(await at('one', 'dd if=/dev/zero of=/m/b bs=1k count=100 2>&1')).toContain('No space left');
    expect((await sandbox.docker('cp one:/etc/hostname -')).code).toBe(0);
    expect(await sh('docker cp /etc/profile one:/m')).toContain('out of reach of docker cp');
    await docker('rm -f one');
    expect(await sh('grep -c volumes/memory /proc/mounts')).toBe('0\n1');
    expect(await run('-v memory:/m', 'ls -A /m')).toBe('');
    await docker('volume rm memory');
    await docker('volume create -o type=tmpfs -o device=tmpfs -o o=size=many wrong');
    expect(await run('-v wrong:/m', 'true')).toContain(
      "error while mounting volume '/var/lib/docker/volumes/wrong/_data': failed to mount local volume: mount tmpfs:/var/lib/docker/volumes/wrong/_data, data: size=many: invalid argument",
    );
    await docker('volume rm wrong');
  });

  it('is a folder of the host, filled when it is empty', async () => {
    expect(await sh('mkdir /root/kept /root/first; echo host > /root/kept/a')).toBe('0');
    await docker('volume create -o type=none -o o=bind -o device=/root/kept kept');
    expect(await run('-v kept:/etc', 'ls -A /etc | grep -c passwd; cat /etc/a; echo new > /etc/b')).toBe(
      '0\nhost\n',
    );
    expect(await sh('cat /root/kept/b')).toBe('new\n0');
    await docker('create --name box -v kept:/k busybox');
    expect(await sh('docker cp /etc/profile box:/k; ls /root/kept; docker cp box:/k/a - | tar -t')).toMatch(
      /^a\n(?:\S+\n)*b\n(?:\S+\n)*profile\na\n0$/,
    );
    await docker('rm box');
    await docker('volume rm kept');
    expect(await sh('cat /root/kept/a')).toBe('host\n0');
    const options = 'volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/root/first';
    expect(
      await run(`--mount type=volume,src=first,dst=/etc,${options}`, 'ls /etc/passwd && echo made > /etc/c'),
    ).toBe('/etc/passwd\n');
    expect(await sh('ls /root/first/passwd; cat /root/first/c')).toBe('/root/first/passwd\nmade\n0');
    await docker('volume create -o type=none -o o=bind,ro -o device=/root/first fixed');
    expect(await run('-v fixed:/f', 'touch /f/x')).toContain('Read-only file system');
    await docker('volume create -o type=none -o o=bind -o device=/root/nope none');
    expect(await run('-v none:/n', 'true')).toContain(
      "error while mounting volume '/var/lib/docker/volumes/none/_data': failed to mount local volume: mount /root/nope:/var/lib/docker/volumes/none/_data, flags: 0x1000: no such file or directory",
    );
    await docker('volume rm first fixed none');
  });
});
