import { describe, expect, it } from 'vitest';
import { InvalidKernelError, wrapKernel } from '../../../src/machine/boot-image.ts';

const MB = 1024 * 1024;

interface Fields {
  readonly elfClass: number;
  readonly type: number;
  readonly machine: number;
  readonly entry: number;
  readonly headers: number;
  readonly address: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/** A vmlinux of one segment of 0x20 bytes at 1 MB, changed as a test likes. */
function vmlinux(changes: Partial<Fields> = {}): Uint8Array<ArrayBuffer> {
  const fields: Fields = {
    elfClass: 1,
    type: 2,
    machine: 3,
    entry: 0x100010,
    headers: 52,
    address: 0x100000,
    offset: 84,
    fileSize: 0x20,
    memorySize: 0x1000,
    ...changes,
  };
  const elf = new Uint8Array(84 + 0x20);
  const view = new DataView(elf.buffer);
  view.setUint32(0, 0x7f454c46, false);
  elf[4] = fields.elfClass;
  elf[5] = 1;
  view.setUint16(16, fields.type, true);
  view.setUint16(18, fields.machine, true);
  view.setUint32(24, fields.entry, true);
  view.setUint32(28, fields.headers, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, 1, true);
  const words = [1, fields.offset, 0xc0100000, fields.address, fields.fileSize, fields.memorySize];
  for (const [i, word] of words.entries()) view.setUint32(52 + 4 * i, word, true);
  elf.fill(0x90, 84);
  return elf;
}

const options = { commandLine: 'quiet', memoryBytes: 64 * MB };

describe('a boot image', () => {
  const image = wrapKernel(vmlinux(), options);
  const view = new DataView(image.buffer);
  const base = 0x100000 - 0x4000;

  it('begins with a Multiboot header whose sum is zero and whose addresses cover the image', () => {
    const [magic = 0, flags = 0, checksum = 0, ...addresses] = Array.from({ length: 8 }, (_, i) =>
      view.getUint32(4 * i, true),
    );
    expect(magic).toBe(0x1badb002);
    expect((magic + flags + checksum) >>> 0).toBe(0);
    expect(addresses).toEqual([base, base, base + image.length, 0, base + 0x100]);
  });

  it('has the kernel at its physical address', () => {
    expect(image.length).toBe(0x4000 + 0x20);
    expect([...image.subarray(0x4000)]).toEqual(new Array(0x20).fill(0x90));
  });

  it('tells the kernel its command line and memory', () => {
    expect(new TextDecoder().decode(image.subarray(0x2000, 0x2006))).toBe('quiet\0');
    expect(view.getUint32(0x1000 + 0x228, true)).toBe(base + 0x2000);
    expect(view.getUint8(0x1000 + 0x1e8)).toBe(3);
    const high = 0x1000 + 0x2d0 + 40;
    expect([view.getUint32(high, true), view.getUint32(high + 8, true)]).toEqual([MB, 63 * MB]);
  });

  it('ends its stub with a far jump to the entry point, code segment 0x10', () => {
    const jump = [0xea, 0x10, 0x00, 0x10, 0x00, 0x10, 0x00];
    const stub = Array.from(image.subarray(0x100, 0xc00)).join(' ');
    expect(stub).toContain(jump.join(' '));
  });
});

describe('what is no kernel is refused', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /no ELF file/],
    ['a gzip file', Uint8Array.from({ length: 100 }, (_, i) => (i === 0 ? 0x1f : 0x8b)), /no ELF file/],
    ['a 64-bit file', vmlinux({ elfClass: 2 }), /32-bit/],
    ['a shared object', vmlinux({ type: 3 }), /386/],
    ['another processor', vmlinux({ machine: 62 }), /386/],
    ['headers outside', vmlinux({ headers: 5000 }), /program headers/],
    ['a segment outside', vmlinux({ offset: 90 }), /segment 0 lies outside/],
    ['more in the file than in memory', vmlinux({ memorySize: 0x10 }), /segment 0/],
    ['nothing to load', vmlinux({ fileSize: 0, memorySize: 0 }), /nothing to load/],
    ['an entry outside', vmlinux({ entry: 0x100020 }), /entry point/],
  ])('%s', (_, elf, message) => {
    expect(() => wrapKernel(elf, options)).toThrow(InvalidKernelError);
    expect(() => wrapKernel(elf, options)).toThrow(message);
  });

  it.each<[string, Uint8Array, Partial<typeof options>]>([
    ['a kernel below 1 MB', vmlinux({ address: 0x8000, entry: 0x8000 }), {}],
    ['a kernel above the memory', vmlinux({ memorySize: 65 * MB }), {}],
    ['a command line that is too long', vmlinux(), { commandLine: 'x'.repeat(2048) }],
    ['a command line with NUL', vmlinux(), { commandLine: 'a\0b' }],
  ])('%s', (_, elf, changes) => {
    expect(() => wrapKernel(elf, { ...options, ...changes })).toThrow(RangeError);
  });
});
