import { describe, expect, it } from 'vitest';
import { readFileOf } from '../../../src/engine/cli/host-files.ts';
import type { HostFiles } from '../../../src/engine/container/host-files.ts';
import { NoSuchFileError } from '../../../src/engine/errors.ts';

/** A host with one file, which comes in these pieces. */
function hostWith(path: string, pieces: readonly Uint8Array<ArrayBuffer>[]): { readonly files: HostFiles } {
  return {
    files: {
      async *read(asked) {
        if (asked !== path)
          throw new NoSuchFileError(`open ${asked}: no such file or directory`, { path: asked });
        yield* pieces;
      },
      write: () => Promise.reject(new Error('nothing is written')),
    },
  };
}

describe('a file of the host as text', () => {
  const text = 'a=naïve €5 🚢\n';
  const bytes = new TextEncoder().encode(text);

  it.each(Array.from(bytes.keys()))(
    'is whole when it comes in two pieces, the first of %i bytes',
    async (at) => {
      const host = hostWith('/root/labels', [bytes.slice(0, at), bytes.slice(at)]);
      expect(await readFileOf('labels', host, { cwd: '/root' })).toBe(text);
    },
  );

  it('that is not there is refused under the name that was typed in', async () => {
    const host = hostWith('/root/labels', []);
    await expect(readFileOf('$&.none', host, { cwd: '/root/' })).rejects.toMatchObject({
      code: 'Usage',
      message: 'open $&.none: no such file or directory',
    });
  });
});
