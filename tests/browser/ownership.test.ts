import { afterEach, describe, expect, it } from 'vitest';
import { SandboxInUseError } from '../../src/engine/errors.ts';
import { acquireSandbox, type Ownership } from '../../src/storage/ownership.ts';
import { freshSandbox } from '../conformance/sandbox-name.ts';

describe('a sandbox', () => {
  const owned: Ownership[] = [];
  afterEach(() => {
    for (const ownership of owned.splice(0)) ownership.release();
  });
  const acquire = async (sandbox: string, patience?: number, takeOver = false) => {
    const ownership = await acquireSandbox(sandbox, {
      ...(patience !== undefined && { patience }),
      takeOver,
    });
    owned.push(ownership);
    return ownership;
  };

  it('has one owner, and tells who comes second what to do', async () => {
    const sandbox = freshSandbox('owned');
    await acquire(sandbox);
    const failure = await acquire(sandbox, 20).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SandboxInUseError);
    expect(String(failure)).toContain(sandbox);
    expect(String(failure)).toContain('close that tab');
  });

  it('of another name is another sandbox', async () => {
    await acquire(freshSandbox('one'), 20);
    await acquire(freshSandbox('two'), 20);
  });

  it('is had by who waits as soon as its owner lets go', async () => {
    const sandbox = freshSandbox('handed');
    const first = await acquire(sandbox);
    const second = acquire(sandbox, 30_000);
    first.release();
    await first.lost;
    expect((await second).sandbox).toBe(sandbox);
  });

  it('is free again when the worker that owned it is killed', async () => {
    const sandbox = freshSandbox('killed');
    const script = `navigator.locks.request(${JSON.stringify(`layerbox/${sandbox}`)}, () => {
      postMessage('owned');
      return new Promise(() => undefined);
    });`;
    const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));
    await new Promise((resolve) => worker.addEventListener('message', resolve, { once: true }));
    await expect(acquire(sandbox, 20)).rejects.toThrow(SandboxInUseError);
    worker.terminate();
    await acquire(sandbox, 30_000);
  });

  it('is handed over by an owner that is asked to, and not before it has let go', async () => {
    const sandbox = freshSandbox('asked');
    const first = await acquire(sandbox);
    const steps: string[] = [];
    void first.asked.then(() => {
      steps.push('asked');
      first.release();
    });
    void first.lost.then(() => steps.push('let go'));
    const second = await acquire(sandbox, 30_000, true);
    expect(steps).toEqual(['asked', 'let go']);
    expect(second.token).not.toBe(first.token);
    // it listens for the next one, and the first does not any more
    await expect(acquire(sandbox, 20)).rejects.toThrow(SandboxInUseError);
  });

  it('is taken from an owner that does not answer', async () => {
    const sandbox = freshSandbox('hangs');
    const first = await acquire(sandbox);
    await acquire(sandbox, 50, true);
    await first.lost;
    await expect(acquire(sandbox, 20)).rejects.toThrow(SandboxInUseError);
  });

  it('tells its owner when another took it by force', async () => {
    const sandbox = freshSandbox('stolen');
    const ownership = await acquire(sandbox);
    await navigator.locks.request(`layerbox/${sandbox}`, { steal: true }, () => undefined);
    await ownership.lost;
  });
});
