/** Images that travel through the real guest: its files, its pipes, its programs held still. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testMachine } from '../../support/machine.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await openWithBusybox({ machine: testMachine() });
}, 120_000);
afterAll(() => sandbox.engine.close(), 60_000);

const sh = (line: string) => sandbox.sh(line);

describe('in the host’s shell', () => {
  it.each([
    ['its home', '~/box.tar', '.'],
    ['its tmpfs', '/tmp/box.tar', '/tmp'],
  ])('an archive goes to a file of %s and comes from there', async (_, path, folder) => {
    expect(
      await sh(`docker save -o ${path} busybox && docker rmi busybox >/dev/null && docker load -i ${path}`),
    ).toBe('Loaded image: busybox:latest\n0');
    // nothing else is left there, and nobody else may read it
    expect(await sh(`ls -a ${folder} | grep -c docker_temp; stat -c %a ${path}; rm ${path}`)).toBe(
      '0\n600\n0',
    );
  });

  it('a relative path starts where the command was typed', async () => {
    expect(
      await sh(
        'mkdir -p /tmp/d && cd /tmp/d && docker save -o rel.tar busybox && docker load -i ./rel.tar && ls && rm -r /tmp/d',
      ),
    ).toBe('Loaded image: busybox:latest\nrel.tar\n0');
  });

  it('archives go through pipes', async () => {
    expect(await sh('docker save busybox | docker load')).toBe('Loaded image: busybox:latest\n0');
    expect(
      await sh(
        'docker save busybox > /tmp/p.tar; docker load -q < /tmp/p.tar; cat /tmp/p.tar | gzip | docker load; rm /tmp/p.tar',
      ),
    ).toBe('Loaded image: busybox:latest\nLoaded image: busybox:latest\n0');
    // a reader that has enough ends it
    expect(await sh('docker save busybox | head -c 5')).toBe('blobs0');
  });

  it('a container goes out as a tar and comes back as an image that runs', async () => {
    expect(
      await sh("docker run --name web busybox sh -c 'echo hi > /etc/greeting; ln /etc/greeting /link'"),
    ).toBe('0');
    const line = `docker export web | docker import -c 'CMD ["cat", "/link"]' - again:1 >/dev/null && docker run --rm again:1`;
    expect(await sh(line)).toBe('hi\n0');
    expect(
      await sh(
        'docker export -o /tmp/web.tar web && docker import /tmp/web.tar > /dev/null; echo $?; rm /tmp/web.tar',
      ),
    ).toBe('0\n0');
    expect(await sh('docker export web | tar -t | grep -c etc/greeting')).toBe('1\n0');
    await sh('docker rm web');
  });

  it('a container is committed while it runs, with what it wrote, and goes on', async () => {
    await sh(
      "docker run -d --name busy busybox sh -c 'echo first > /first; while :; do echo x >> /log; done'",
    );
    expect(
      await sh(
        'while ! docker exec busy test -s /log; do :; done; docker commit -m live busy live:1 | cut -c1-7',
      ),
    ).toBe('sha256:\n0');
    expect(await sh('docker run --rm --entrypoint cat live:1 /first')).toBe('first\n0');
    const size = 'docker exec busy stat -c %s /log';
    expect(await sh(`a=$(${size}); while [ "$(${size})" = "$a" ]; do :; done; echo goes on`)).toBe(
      'goes on\n0',
    );
    expect(await sh('docker rm -f busy')).toBe('busy\n0');
    expect(await sh("docker run --rm --entrypoint sh live:1 -c 'wc -l < /log | grep -c ^[1-9]'")).toBe(
      '1\n0',
    );
  });

  it.each([
    [
      'docker save -o /none/x.tar busybox',
      'failed to save image: invalid output path: stat /none: no such file or directory\n1',
    ],
    ['docker save -o /tmp busybox', 'failed to save image: cannot write to a directory\n1'],
    ['docker save -o /dev/null busybox', 'failed to save image: cannot write to a character device file\n1'],
    ['docker load -i /none', 'open /none: no such file or directory\n1'],
    ['docker load -i /tmp', 'read /tmp: is a directory\n1'],
    ['docker import none.tar', 'open none.tar: no such file or directory\n1'],
    [
      'docker save -o /tmp/no.tar nosuch; ls -a /tmp | grep -e no.tar -e docker_temp',
      'Error response from daemon: No such image: nosuch:latest\n1',
    ],
    ['echo nonsense | docker load', /^Error response from daemon: .+\n1$/s],
  ])('%s is refused', async (line, said) => {
    const text = await sh(line);
    if (typeof said === 'string') expect(text).toBe(said);
    else expect(text).toMatch(said);
  });
});
