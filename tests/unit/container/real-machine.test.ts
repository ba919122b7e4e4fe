/** The whole engine over the real kernel, in Node: what a machine of functions cannot show. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { testMachine } from '../../support/machine.ts';
import { openWithBusybox, type TestSandbox } from './sandbox.ts';

let sandbox: TestSandbox;
const machine = testMachine();

beforeAll(async () => {
  sandbox = await openWithBusybox({ machine });
}, 120_000);
afterAll(() => sandbox.engine.close(), 60_000);

const sh = (line: string) => sandbox.sh(line);
const docker = (...argv: string[]) => sandbox.docker(argv);

describe('a container on the kernel', () => {
  it('has its own pids, host name and capabilities, and Docker groups', async () => {
    const line = 'echo $$; hostname; id; grep CapEff /proc/self/status; cat /etc/hostname';
    expect(await docker('run', '--rm', '-h', 'box', 'busybox', 'sh', '-c', line)).toEqual({
      code: 0,
      out: '1\nbox\nuid=0(root) gid=0(root) groups=0(root),10(wheel)\nCapEff:\t00000000a80425fb\nbox\n',
      err: '',
    });
  });

  it('exits as its program, and its files are there at once', async () => {
    const line = 'echo hi > /etc/greeting; rm /bin/ls; mv /var /var2; exit 3';
    expect((await docker('run', '--name', 'web', 'busybox', 'sh', '-c', line)).code).toBe(3);
    const { out } = await docker('diff', 'web');
    expect(out.split('\n')).toEqual(
      expect.arrayContaining([
        'C /bin',
        'D /bin/ls',
        'C /etc',
        'A /etc/greeting',
        'D /var',
        'A /var2',
        'A /var2/log',
      ]),
    );
    expect(new TextDecoder().decode(await sandbox.engine.read('web', '/etc/greeting'))).toBe('hi\n');
    expect((await docker('rm', 'web')).code).toBe(0);
  });

  const failures: readonly (readonly [string, number, string])[] = [
    ['nosuch', 127, 'exec: "nosuch": executable file not found in $PATH: unknown'],
    ['/nosuch', 127, 'exec: "/nosuch": stat /nosuch: no such file or directory: unknown'],
    ['/etc/passwd', 126, 'exec: "/etc/passwd": permission denied: unknown'],
  ];
  it.each(failures)('of %s does not start: %i', async (program, code, message) => {
    const result = await docker('run', '--rm', 'busybox', program);
    expect(result.code).toBe(code);
    expect(result.err).toContain(
      `Error response from daemon: failed to create task for container: ${message}\n`,
    );
  });

  it('runs beside others, lets programs in, and stops', async () => {
    await docker(
      'run',
      '-d',
      '--name',
      'bg',
      'busybox',
      'sh',
      '-c',
      'trap "exit 5" TERM; while :; do sleep 1; done',
    );
    expect((await docker('exec', '-u', '1', '-w', '/tmp', 'bg', 'sh', '-c', 'id -u; pwd')).out).toBe(
      '1\n/tmp\n',
    );
    expect((await docker('exec', 'bg', 'ps')).out).toMatch(/\n +1 root +sh -c trap/);
    for (const [cwd, code, reason] of [
      ['/nope', 127, 'no such file or directory'],
      ['/etc/passwd', 126, 'not a directory'],
    ] as const) {
      expect(await docker('exec', '-u', '1', '-w', cwd, 'bg', 'pwd')).toEqual({
        code,
        out: '',
        err: `OCI runtime exec failed: exec failed: chdir to cwd ("${cwd}") set in config.json failed: ${reason}: unknown\n`,
      });
    }
    expect((await docker('stop', 'bg')).out).toBe('bg\n');
    expect((await docker('ps', '-a', '--format', '{{.Status}}')).out).toMatch(/^Exited \(5\)/);
    expect((await docker('rm', 'bg')).code).toBe(0);
  });
});

describe('docker rm -f', () => {
  it('costs no more messages, records and journals whatever the container holds', async () => {
    const messages = () => Object.values(machine.stats().requests).reduce((sum, count) => sum + count, 0);
    const removed = async (files: number) => {
      const name = `of-${files}`;
      await docker('run', '-d', '--name', name, 'busybox', 'sleep', '100000');
      // known to the guest's kernel too, each of them
      const line = `mkdir /made; cd /made; for i in $(seq ${files}); do echo $i >$i; done; ls -l >/dev/null; sync`;
      expect(await docker('exec', name, 'sh', '-c', line)).toMatchObject({ code: 0, err: '' });
      const opened = vi.spyOn(sandbox.stores.journals, 'open');
      const deleted = vi.spyOn(sandbox.stores.journals, 'delete');
      const records = vi.spyOn(sandbox.page, 'commit');
      const before = messages();
      expect((await docker('rm', '-f', name)).code).toBe(0);
      const cost = {
        opened: opened.mock.calls.length,
        deleted: deleted.mock.calls.length,
        records: records.mock.calls.flatMap(([changes]) => changes).length,
        messages: messages() - before,
      };
      vi.restoreAllMocks();
      return cost;
    };
    const few = await removed(10);
    const many = await removed(1000);
    expect(many).toEqual({ opened: 0, deleted: 1, records: few.records, messages: expect.any(Number) });
    expect(many.messages).toBeLessThan(few.messages + 10);
  });
});

describe('docker in the shell of the host', () => {
  it('is a program like any other', async () => {
    const lines: readonly (readonly [string, string])[] = [
      ["docker images --format '{{.Repository}}:{{.Tag}}' | grep busybox", 'busybox:latest\n0'],
      ['docker run --name one busybox true; docker ps -aq | wc -l', '1\n0'],
      ['docker ps -aq | xargs docker rm | wc -c; docker ps -aq | wc -l', '13\n0\n0'],
      ['echo piped | docker run -i --rm busybox cat', 'piped\n0'],
      ["printf 'A=1\\n' > vars; docker run --rm --env-file vars busybox sh -c 'echo $A'", '1\n0'],
      ['docker run --rm busybox sh -c "exit 9"; echo $?', '9\n0'],
      ['docker run --rm busybox nosuch 2>/dev/null; echo $?', '127\n0'],
      ['docker build . 2>&1', "docker: 'build' is not yet supported by Layerbox\n1"],
    ];
    for (const [line, want] of lines) expect(await sh(line), line).toBe(want);
  });
});
