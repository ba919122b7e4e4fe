import { afterEach, describe, expect, it } from 'vitest';
import { NoSuchImageError, SandboxInUseError, SizeMismatchError } from '../../../src/engine/errors.ts';
import type { HostIo, SandboxHost } from '../../../src/rpc/host.ts';
import type { CommandIo, Sandbox, WalkEntry } from '../../../src/rpc/sandbox.ts';
import { walkBatch } from '../../../src/rpc/surface.ts';
import { type Loopback, loopback, scriptedHost } from './loopback.ts';

const open: Loopback[] = [];
afterEach(() => {
  for (const loop of open.splice(0)) loop.disconnect();
});

function over(script: Partial<SandboxHost>): Sandbox {
  const loop = loopback(async () => scriptedHost(script));
  open.push(loop);
  return loop.sandbox;
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a command across the boundary', () => {
  const echo = async (_words: unknown, io: HostIo) => {
    for await (const chunk of io.input ?? []) await io.write('out', chunk);
    await io.write('err', bytes('done'));
    return 3;
  };
  async function* pieces() {
    yield bytes('one ');
    yield bytes('two');
  }
  const rows: { stdin: CommandIo['stdin']; stdout: string; why: string }[] = [
    { stdin: undefined, stdout: '', why: 'no input is the end of input' },
    { stdin: 'grüß', stdout: 'grüß', why: 'a string goes as UTF-8' },
    { stdin: bytes('raw'), stdout: 'raw', why: 'bytes go as they are' },
    { stdin: pieces(), stdout: 'one two', why: 'an iterable is read to its end' },
    { stdin: 'x'.repeat(200_000), stdout: 'x'.repeat(200_000), why: 'input larger than one chunk' },
  ];
  it.each(rows)('$why', async ({ stdin, stdout }) => {
    const result = await over({ command: echo }).docker(['x'], stdin === undefined ? {} : { stdin });
    expect(result).toEqual({ exitCode: 3, stdout, stderr: 'done' });
  });

  it('passes docker words and shell lines as they are', async () => {
    const seen: unknown[] = [];
    const sandbox = over({
      command: async (words) => {
        seen.push(words);
        return 0;
      },
    });
    await sandbox.docker(['run', 'busybox', 'echo', '$HOME']);
    await sandbox.sh('echo a | cat');
    expect(seen).toEqual([{ docker: ['run', 'busybox', 'echo', '$HOME'] }, { sh: 'echo a | cat' }]);
  });

  it('decodes a character that two chunks share, and gives the raw bytes beside it', async () => {
    const euro = bytes('€');
    const raw: number[] = [];
    const sandbox = over({
      command: async (_words, io) => {
        for (const byte of euro) await io.write('out', Uint8Array.of(byte));
        return 0;
      },
    });
    const { stdout } = await sandbox.docker(['x'], { onStdout: (chunk) => void raw.push(...chunk) });
    expect(stdout).toBe('€');
    expect(raw).toEqual([...euro]);
  });

  it('sends a view as its own bytes, and leaves the buffer behind it with its owner', async () => {
    const buffer = new Uint8Array(1 << 20).fill(7);
    let received = 0;
    const sandbox = over({
      command: async (_words, io) => {
        await io.write('out', buffer.subarray(10, 14));
        return buffer.byteLength === 1 << 20 ? 0 : 1;
      },
    });
    const { exitCode } = await sandbox.docker(['x'], {
      onStdout: (chunk) => {
        received = chunk.buffer.byteLength;
      },
    });
    expect({ exitCode, received }).toEqual({ exitCode: 0, received: 4 });
  });

  it('writes the next chunk only when the reader is done with the last', async () => {
    const order: string[] = [];
    const sandbox = over({
      command: async (_words, io) => {
        for (const name of ['a', 'b']) {
          await io.write('out', bytes(name));
          order.push(`wrote ${name}`);
        }
        return 0;
      },
    });
    const gates = new Map<string, () => void>();
    const running = sandbox.docker(['x'], {
      onStdout: (chunk) => {
        const name = new TextDecoder().decode(chunk);
        order.push(`got ${name}`);
        return new Promise((resolve) => gates.set(name, resolve));
      },
    });
    await expect.poll(() => gates.has('a')).toBe(true);
    // other calls on the same port go on meanwhile
    await expect(sandbox.images()).rejects.toThrow('not part of this test');
    expect(order).toEqual(['got a']);
    gates.get('a')?.();
    await expect.poll(() => gates.has('b')).toBe(true);
    expect(order).toEqual(['got a', 'wrote a', 'got b']);
    gates.get('b')?.();
    await running;
  });

  it('fails with the error of a reader that throws', async () => {
    const sandbox = over({ command: echo });
    const reading = sandbox.docker(['x'], {
      stdin: 'a',
      onStdout: () => {
        throw new RangeError('enough');
      },
    });
    await expect(reading).rejects.toThrow(new RangeError('enough'));
  });
});

describe('an abort', () => {
  it('reaches the command, and the call rejects with its reason once the command has ended', async () => {
    let killed = false;
    const sandbox = over({
      command: (_words, io) =>
        new Promise((resolve) => {
          void io.write('out', bytes('up'));
          io.signal.addEventListener('abort', () => {
            killed = true;
            resolve(137);
          });
        }),
    });
    const control = new AbortController();
    const reason = new Error('seen enough');
    const running = sandbox.docker(['run'], {
      signal: control.signal,
      onStdout: () => control.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
    expect(killed).toBe(true);
  });

  it('before the call runs nothing', async () => {
    let ran = false;
    const sandbox = over({
      command: async () => {
        ran = true;
        return 0;
      },
    });
    await expect(sandbox.docker(['x'], { signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    await sandbox.docker(['y']).then(() => expect(ran).toBe(true));
  });

  it('of one command leaves another alone', async () => {
    const sandbox = over({
      command: (_words, io) =>
        new Promise((resolve, reject) => {
          io.signal.addEventListener('abort', () => reject(new Error('killed')));
          void io.write('out', bytes('up')).then(() => resolve(0));
        }),
    });
    const control = new AbortController();
    let release: (() => void) | undefined;
    const other = sandbox.docker(['b'], {
      onStdout: () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    });
    const aborted = sandbox.docker(['a'], { signal: control.signal, onStdout: () => control.abort() });
    await expect(aborted).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    release?.();
    await expect(other).resolves.toMatchObject({ exitCode: 0 });
  });
});

describe('an error', () => {
  const size = new SizeMismatchError('layer has 3 bytes where 4 were promised', { expected: 4, actual: 3 });
  const rows: { thrown: unknown; Class: new (...args: never[]) => unknown; like: object }[] = [
    {
      thrown: size,
      Class: SizeMismatchError,
      like: { code: 'SizeMismatch', data: { expected: 4, actual: 3 } },
    },
    { thrown: new TypeError('bad'), Class: TypeError, like: { name: 'TypeError', message: 'bad' } },
    {
      thrown: new DOMException('no', 'AbortError'),
      Class: DOMException,
      like: { name: 'AbortError', message: 'no' },
    },
    { thrown: { odd: 1n }, Class: Object, like: { odd: 1n } },
  ];
  it.each(rows)('keeps class, code and data: $Class.name', async ({ thrown, Class, like }) => {
    const sandbox = over({
      images: async () => {
        throw thrown;
      },
    });
    const caught: unknown = await sandbox.images().catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(Class);
    expect(caught).toMatchObject(like);
  });

  it('of the opening reaches every method', async () => {
    const loop = loopback(async () => {
      throw new SandboxInUseError('The sandbox "default" is open in another tab.');
    });
    open.push(loop);
    await expect(loop.sandbox.images()).rejects.toThrow(SandboxInUseError);
    await expect(loop.sandbox.docker(['ps'])).rejects.toThrow(SandboxInUseError);
    await expect(loop.sandbox.files('x').walk()[Symbol.asyncIterator]().next()).rejects.toThrow(
      SandboxInUseError,
    );
    await expect(loop.sandbox.close()).resolves.toBeUndefined();
  });

  it('of a worker that died ends the calls that wait for it', async () => {
    const loop = loopback(async () => scriptedHost({ images: () => new Promise(() => undefined) }));
    open.push(loop);
    await expect(loop.sandbox.containers()).rejects.toThrow();
    const waiting = loop.sandbox.images();
    const gone = new Error('the worker is gone');
    // the call must be under way before the worker dies
    await Promise.resolve();
    loop.fail(gone);
    await expect(waiting).rejects.toBe(gone);
    await expect(loop.sandbox.images()).rejects.toBe(gone);
  });

  it('of a worker that is gone already is that of the calls, and nobody is asked any more', async () => {
    let asked = 0;
    const loop = loopback(async () =>
      scriptedHost({
        images: async () => {
          asked += 1;
          throw new SandboxInUseError('the stores are closed');
        },
      }),
    );
    open.push(loop);
    await expect(loop.sandbox.images()).rejects.toThrow('the stores are closed');
    const gone = new Error('the worker is gone');
    loop.fail(gone);
    await expect(loop.sandbox.images()).rejects.toBe(gone);
    // a message that went before this one has come
    await over({ images: async () => [] }).images();
    expect(asked).toBe(1);
  });
});

describe('a walk', () => {
  const entry = (path: string): WalkEntry => ({
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 1,
    mtimeNs: 1_700_000_000_123_456_789n,
    ino: 1,
    nlink: 1,
    xattrs: { 'user.k': Uint8Array.of(0, 255) },
    layer: { index: 0, diffID: 'sha256:00' },
  });

  it.each([0, 1, walkBatch, walkBatch * 2 + 1])('of %i entries arrives whole and in order', async (count) => {
    const sandbox = over({
      async *walk() {
        for (let i = 0; i < count; i++) yield entry(`/${i}`);
      },
    });
    const paths: string[] = [];
    for await (const { path, mtimeNs } of sandbox.files('x').walk()) {
      expect(mtimeNs).toBe(1_700_000_000_123_456_789n);
      paths.push(path);
    }
    expect(paths).toEqual(Array.from({ length: count }, (_, i) => `/${i}`));
  });

  it('that is left early is closed at its source', async () => {
    let closed = false;
    let made = 0;
    const sandbox = over({
      async *walk() {
        try {
          while (true) {
            made += 1;
            yield entry(`/${made}`);
          }
        } finally {
          closed = true;
        }
      },
    });
    for await (const { path } of sandbox.files('x').walk()) {
      if (path === '/3') break;
    }
    await expect.poll(() => closed).toBe(true);
    expect(made).toBe(walkBatch);
  });

  it('names the missing image with its own class', async () => {
    const sandbox = over({
      // biome-ignore lint/correctness/useYield: it fails before its first entry
      async *walk() {
        throw new NoSuchImageError('No such image: nope');
      },
    });
    await expect(sandbox.files('nope').walk()[Symbol.asyncIterator]().next()).rejects.toThrow(
      NoSuchImageError,
    );
  });
});

describe('a terminal', () => {
  it('carries bytes both ways, its size, its end and its exit code', async () => {
    const seen: string[] = [];
    const sandbox = over({
      terminal: async ({ rows, columns, onData }) => {
        seen.push(`${columns}x${rows}`);
        let finish: ((code: number) => void) | undefined;
        return {
          exit: new Promise<number>((resolve) => {
            finish = resolve;
          }),
          write: async (input) => {
            await onData(input);
          },
          resize: (size) => void seen.push(`${size.columns}x${size.rows}`),
          close: () => finish?.(129),
        };
      },
    });
    const got: string[] = [];
    const session = await sandbox.terminal({
      rows: 24,
      columns: 80,
      onData: (chunk) => void got.push(new TextDecoder().decode(chunk)),
    });
    await session.write(bytes('ls\r'));
    session.resize({ rows: 50, columns: 132 });
    session.close();
    expect(await session.exit).toBe(129);
    expect({ seen, got }).toEqual({ seen: ['80x24', '132x50'], got: ['ls\r'] });
    await session.write(bytes('after the end'));
    expect(got).toEqual(['ls\r']);
  });
});
