import { describe, expect, it, vi } from 'vitest';
import {
  rehearsalStream,
  rehearsalText,
  rehearseCodecs,
} from '../../../src/engine/archive/codec-rehearsal.ts';
import { Unpacker } from '../../../src/engine/archive/unpacker.ts';
import { codecsModule, unpack } from './unpacking.ts';

describe('the rehearsal of the codecs', () => {
  it('has text, and the same each time', () => {
    expect(new TextDecoder().decode(rehearsalText(100))).toMatch(/^[a-z \n]{100}$/);
    expect(rehearsalText(1000).subarray(0, 100)).toEqual(rehearsalText(100));
  });

  it.each([
    ['gzip', rehearsalText(65_536)],
    ['zstd', Uint8Array.from({ length: 65_536 }, (_, at) => rehearsalText(1024)[at % 1024] ?? 0)],
  ] as const)('has it as %s', async (format, expected) => {
    const unpacker = await Unpacker.create(codecsModule);
    const bytes = unpack(unpacker, await rehearsalStream(format), { format, capacity: 1 << 20 });
    expect(bytes.equals(expected)).toBe(true);
  });

  it('runs to its end, and no further than its signal allows', async () => {
    const pushes = vi.spyOn(Unpacker.prototype, 'push');
    await rehearseCodecs(codecsModule, AbortSignal.abort());
    expect(pushes).not.toHaveBeenCalled();
    await rehearseCodecs(codecsModule, new AbortController().signal);
    expect(pushes.mock.calls.length).toBeGreaterThan(100);
    pushes.mockRestore();
  });
});
