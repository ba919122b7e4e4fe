import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createSandbox,
  MachineUnavailableError,
  NoSuchFileError,
  NoSuchImageError,
  type Sandbox,
  type StampedEvent,
} from '../../../src/index.ts';

let sandbox: Sandbox;
const events: StampedEvent[] = [];

beforeAll(async () => {
  sandbox = await createSandbox({ storage: 'memory', machine: false });
  sandbox.events().subscribe((event) => void events.push(event));
});
afterAll(() => sandbox.close());

describe('a sandbox in Node, without a machine', () => {
  it('pulls a bundled image from the folder of the package', async () => {
    const { exitCode, stdout } = await sandbox.docker(['pull', 'busybox']);
    expect(stdout).toContain('Status: Downloaded newer image for busybox:latest');
    expect(exitCode).toBe(0);
    expect(events).toContainEqual(expect.objectContaining({ type: 'pull', status: 'complete' }));
    expect(await sandbox.images()).toMatchObject([{ repository: 'busybox', tag: 'latest', runnable: true }]);
  });

  it('walks its files, parents first, and reads them', async () => {
    const paths: string[] = [];
    for await (const entry of sandbox.files('busybox').walk()) paths.push(entry.path);
    expect(paths[0]).toBe('/');
    expect(paths).toContain('/etc/passwd');
    const passwd = await sandbox.files('busybox').read('/etc/passwd');
    expect(new TextDecoder().decode(passwd)).toMatch(/^root:/);
  });

  it('keeps its two streams apart', async () => {
    expect(await sandbox.docker(['rmi', 'nothing-here'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('No such image: nothing-here'),
    });
  });

  it('refuses what needs a program', async () => {
    await expect(sandbox.sh('true')).rejects.toThrow(MachineUnavailableError);
    expect(await sandbox.docker(['run', 'busybox', 'true'])).toMatchObject({ exitCode: 125 });
  });

  it('names what is not there', async () => {
    await expect(sandbox.files('busybox').read('/nope')).rejects.toThrow(NoSuchFileError);
    await expect(sandbox.files('nope').read('/')).rejects.toThrow(NoSuchImageError);
  });

  it('has no storage of a browser', async () => {
    await expect(createSandbox({ storage: 'indexeddb' })).rejects.toThrow(RangeError);
  });
});

describe('two sandboxes', () => {
  it('share nothing, and end for themselves', async () => {
    const other = await createSandbox({ storage: 'memory', machine: false });
    expect(await other.images()).toEqual([]);
    await other.close();
    await other.close();
    expect(await sandbox.images()).toHaveLength(1);
  });
});
