import { describe, expect, it } from 'vitest';
import type { CommandIo, CommandResult, Sandbox } from '../../../src/rpc/sandbox.ts';
import { archiveName, loadArchive, savedArchive } from '../../../src/ui/images/archives.ts';

type Docker = (argv: readonly string[], io: CommandIo) => Promise<Partial<CommandResult>>;

/** A sandbox of which only the commands are there. */
function sandboxOf(docker: Docker): Sandbox {
  const missing = () => Promise.reject(new Error('not of this test'));
  const sandbox: Partial<Sandbox> = {
    docker: async (argv, io = {}) => ({ exitCode: 0, stdout: '', stderr: '', ...(await docker(argv, io)) }),
  };
  return new Proxy(Object.assign(sandbox), { get: (target, name) => Reflect.get(target, name) ?? missing });
}

describe('archives of the page', () => {
  it('are read by docker load piece by piece', async () => {
    const bytes = new Uint8Array(300_000).fill(7);
    let read = 0;
    const sandbox = sandboxOf(async (argv, { stdin }) => {
      expect(argv).toEqual(['load', '-q']);
      if (typeof stdin !== 'object' || stdin instanceof Uint8Array) throw new Error('it is read as a whole');
      for await (const piece of stdin) read += piece.length;
      return { stdout: 'Loaded image: a:1\nLoaded image: b:2\n' };
    });
    expect(await loadArchive(sandbox, new Blob([bytes]))).toEqual({
      lines: ['Loaded image: a:1', 'Loaded image: b:2'],
    });
    expect(read).toBe(300_000);
  });

  it('that are none say why', async () => {
    const sandbox = sandboxOf(async () => ({ exitCode: 1, stderr: 'Error response from daemon: no tar\n' }));
    expect(await loadArchive(sandbox, new Blob([]))).toEqual({ lines: [], failed: 'no tar' });
    await expect(savedArchive(sandbox, 'x')).rejects.toThrow('no tar');
  });

  it('are what docker save writes', async () => {
    const pieces = [new Uint8Array(9 << 20).fill(1), Uint8Array.of(2, 3)];
    const sandbox = sandboxOf(async (argv, { onStdout }) => {
      expect(argv).toEqual(['save', 'a:1']);
      for (const piece of pieces) await onStdout?.(piece);
      return {};
    });
    const saved = new Uint8Array(await (await savedArchive(sandbox, 'a:1')).arrayBuffer());
    expect(saved.length).toBe((9 << 20) + 2);
    expect([...saved.slice(-3)]).toEqual([1, 2, 3]);
  });

  it.each([
    ['busybox:latest', 'busybox_latest.tar'],
    ['ghcr.io/org/app@sha256:00', 'ghcr.io_org_app_sha256_00.tar'],
    ['../../etc', '.._.._etc.tar'],
  ])('of %s are called %s', (image, name) => {
    expect(archiveName(image)).toBe(name);
  });
});
