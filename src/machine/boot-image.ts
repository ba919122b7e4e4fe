/**
 * A boot without BIOS. v86 loads a Multiboot image (Multiboot Specification
 * 0.6.96, section 3.1, with the address fields) straight into flat 32-bit
 * protected mode. This wraps an uncompressed vmlinux in such an image, behind
 * a stub that does what a BIOS and a boot loader would have done: route PCI
 * interrupts, fill in `boot_params`, enter by the 32-bit boot protocol
 * (Linux, Documentation/arch/x86/boot.rst).
 *
 * Layout, from `base` = lowest physical address of the kernel - 0x4000:
 *   0x0000 Multiboot header   0x0100 stub          0x0c00 GDT, stack below
 *   0x1000 boot_params        0x2000 command line  0x4000 kernel
 */

const STUB = 0x0100;
const GDT = 0x0c00;
const BOOT_PARAMS = 0x1000;
const COMMAND_LINE = 0x2000;
const KERNEL = 0x4000;
/** boot.rst, cmdline_size: the largest that a kernel takes without being told. */
const MAX_COMMAND_LINE = 2047;

const CODE_SELECTOR = 0x10;
const DATA_SELECTOR = 0x18;

export interface BootImageOptions {
  readonly commandLine: string;
  /** Of the machine, in bytes; a multiple of 4096. */
  readonly memoryBytes: number;
}

/** The kernel is no ELF file of the kind that can be booted; says what is wrong with it. */
export class InvalidKernelError extends Error {
  constructor(what: string) {
    super(`The machine's kernel cannot be booted: ${what}. Build it again with guest/build.`);
    this.name = 'InvalidKernelError';
  }
}

/** The Multiboot image of an uncompressed 32-bit x86 vmlinux. InvalidKernelError, RangeError for the options. */
export function wrapKernel(elf: Uint8Array, options: BootImageOptions): Uint8Array<ArrayBuffer> {
  const kernel = parseVmlinux(elf);
  const commandLine = new TextEncoder().encode(options.commandLine);
  if (commandLine.length > MAX_COMMAND_LINE || options.commandLine.includes('\0')) {
    throw new RangeError(
      `A kernel command line has at most ${MAX_COMMAND_LINE} bytes and no NUL, this one has ${commandLine.length} bytes.`,
    );
  }
  const base = kernel.low - KERNEL;
  const length = KERNEL + kernel.high - kernel.low;
  if (base < 0x100000 - KERNEL || kernel.memoryHigh > options.memoryBytes) {
    throw new RangeError(
      `The kernel takes the addresses ${kernel.low} to ${kernel.memoryHigh}; a machine with ${options.memoryBytes} bytes of memory does not have them. Give it more memory.`,
    );
  }

  const image = new Uint8Array(length);
  const view = new DataView(image.buffer);
  writeMultibootHeader(view, base, length);
  writeDescriptorTable(view, base + GDT);
  const stub = assembleStub(base, kernel.entry);
  if (stub.length > GDT - STUB) throw new RangeError(`The boot stub has ${stub.length} bytes.`);
  image.set(stub, STUB);
  writeBootParameters(view, base, options.memoryBytes);
  image.set(commandLine, COMMAND_LINE);
  for (const segment of kernel.segments) {
    image.set(
      elf.subarray(segment.offset, segment.offset + segment.fileSize),
      KERNEL + segment.address - kernel.low,
    );
  }
  return image;
}

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
}

interface Kernel {
  readonly entry: number;
  /** Lowest and one past the highest physical address that the file fills. */
  readonly low: number;
  readonly high: number;
  /** The same with bss. */
  readonly memoryHigh: number;
  readonly segments: readonly Segment[];
}

/** Reads the ELF header and program headers (System V ABI, chapters 4 and 5). */
function parseVmlinux(elf: Uint8Array): Kernel {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.length);
  if (elf.length < 52 || view.getUint32(0, false) !== 0x7f454c46) throw new InvalidKernelError('no ELF file');
  const [elfClass, order] = [elf[4], elf[5]];
  if (elfClass !== 1 || order !== 1) throw new InvalidKernelError('not a 32-bit little-endian ELF file');
  if (view.getUint16(16, true) !== 2 || view.getUint16(18, true) !== 3) {
    throw new InvalidKernelError('not an executable for the 386');
  }
  const entry = view.getUint32(24, true);
  const table = view.getUint32(28, true);
  const entrySize = view.getUint16(42, true);
  const count = view.getUint16(44, true);
  if (entrySize < 32 || table + entrySize * count > elf.length) {
    throw new InvalidKernelError('its program headers lie outside the file');
  }
  const segments: Segment[] = [];
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  let memoryHigh = 0;
  for (let i = 0; i < count; i++) {
    const at = table + entrySize * i;
    const isLoaded = view.getUint32(at, true) === 1;
    if (!isLoaded) continue;
    const offset = view.getUint32(at + 4, true);
    const address = view.getUint32(at + 12, true);
    const fileSize = view.getUint32(at + 16, true);
    const memorySize = view.getUint32(at + 20, true);
    if (offset + fileSize > elf.length || fileSize > memorySize) {
      throw new InvalidKernelError(`its segment ${i} lies outside the file`);
    }
    if (memorySize === 0) continue;
    segments.push({ offset, address, fileSize });
    low = Math.min(low, address);
    high = Math.max(high, address + fileSize);
    memoryHigh = Math.max(memoryHigh, address + memorySize);
  }
  if (segments.length === 0) throw new InvalidKernelError('it has nothing to load');
  // a hole between segments is filled with zeros in the image: do not let a header ask for gigabytes of them
  if (high - low > 256 * 1024 * 1024) throw new InvalidKernelError('its segments lie too far apart');
  if (entry < low || entry >= high) throw new InvalidKernelError('its entry point lies outside its segments');
  return { entry, low, high, memoryHigh, segments };
}

function writeMultibootHeader(view: DataView, base: number, length: number): void {
  const magic = 0x1badb002;
  const hasAddresses = 0x10000;
  const fields = [
    magic,
    hasAddresses,
    -(magic + hasAddresses),
    base, // header_addr
    base, // load_addr
    base + length, // load_end_addr
    0, // bss_end_addr: the kernel clears its own bss
    base + STUB, // entry_addr
  ];
  for (const [i, field] of fields.entries()) view.setUint32(4 * i, field >>> 0, true);
}

/** Flat 4 GB code and data segments at the selectors that boot.rst prescribes, and the pointer for `lgdt`. */
function writeDescriptorTable(view: DataView, address: number): void {
  view.setBigUint64(GDT + CODE_SELECTOR, 0x00cf9a000000ffffn, true);
  view.setBigUint64(GDT + DATA_SELECTOR, 0x00cf92000000ffffn, true);
  view.setUint16(GDT + 0x20, 0x1f, true);
  view.setUint32(GDT + 0x22, address, true);
}

/** `struct boot_params` (Linux, Documentation/arch/x86/zero-page.rst), what a kernel without BIOS data needs. */
function writeBootParameters(view: DataView, base: number, memoryBytes: number): void {
  const at = (offset: number) => BOOT_PARAMS + offset;
  view.setUint16(at(0x1fa), 0xffff, true); // vid_mode: normal
  view.setUint16(at(0x1fe), 0xaa55, true); // boot_flag
  view.setUint32(at(0x202), 0x53726448, true); // header: "HdrS"
  view.setUint16(at(0x206), 0x020f, true); // version of the protocol
  view.setUint8(at(0x210), 0xff); // type_of_loader: none that is known
  view.setUint8(at(0x211), 1); // loadflags: LOADED_HIGH
  view.setUint32(at(0x228), base + COMMAND_LINE, true);
  view.setUint32(at(0x238), MAX_COMMAND_LINE, true);
  view.setUint32(at(0x1e0), (memoryBytes >> 10) - 1024, true); // alt_mem_k
  const usable = 1;
  const reserved = 2;
  const map: readonly (readonly [address: number, length: number, type: number])[] = [
    [0, 0x9fc00, usable],
    [0x9fc00, 0x60400, reserved],
    [0x100000, memoryBytes - 0x100000, usable],
  ];
  view.setUint8(at(0x1e8), map.length);
  for (const [i, [address, length, type]] of map.entries()) {
    const entry = at(0x2d0 + 20 * i);
    view.setUint32(entry, address, true);
    view.setUint32(entry + 8, length, true);
    view.setUint32(entry + 16, type, true);
  }
}

const PCI_ADDRESS = 0xcf8;
const PCI_VALUE = 0xcfc;
/** The interrupt lines that PIRQ A to D of the PIIX3 are wired to, as SeaBIOS has it. */
const PIRQ_LINES = [10, 10, 11, 11] as const;

/**
 * The stub's machine code, one instruction a row:
 * PIRQ routing and level triggering in the PIIX3, each device's interrupt line,
 * then registers and segments as the 32-bit boot protocol wants them.
 */
function assembleStub(base: number, entry: number): Uint8Array {
  const u32 = (value: number) => [
    value & 0xff,
    (value >>> 8) & 0xff,
    (value >>> 16) & 0xff,
    (value >>> 24) & 0xff,
  ];
  const u16 = (value: number) => [value & 0xff, (value >>> 8) & 0xff];
  const movEax = (value: number) => [0xb8, ...u32(value)];
  const movAl = (value: number) => [0xb0, value];
  const movDx = (port: number) => [0x66, 0xba, ...u16(port)];
  const OUT_EAX = [0xef];
  const OUT_AL = [0xee];
  const IN_EAX = [0xed];
  const outl = (port: number, value: number) => [...movEax(value), ...movDx(port), ...OUT_EAX];
  const outb = (port: number, value: number) => [...movAl(value), ...movDx(port), ...OUT_AL];
  const selectPci = (device: number, register: number) =>
    outl(PCI_ADDRESS, 0x80000000 | (device << 11) | register);

  const setInterruptLine = (device: number) => {
    const line = PIRQ_LINES[(device - 1) & 3] ?? 11;
    const write = [...movAl(line), ...movDx(PCI_VALUE), ...OUT_AL];
    return [
      ...selectPci(device, 0x3c),
      ...movDx(PCI_VALUE),
      ...IN_EAX,
      ...[0x83, 0xf8, 0xff], // cmp eax, -1: nothing in this slot
      ...[0x74, write.length], // je past the write
      ...write,
    ];
  };

  return Uint8Array.from([
    0xfa, // cli
    ...selectPci(1, 0x60), // PIIX3, PIRQRC[A:D]
    ...outl(PCI_VALUE, 0x0b0b0a0a),
    ...Array.from({ length: 30 }, (_, i) => setInterruptLine(i + 2)).flat(),
    ...outb(0x4d0, 0x00), // ELCR1: IRQ 0-7 edge triggered
    ...outb(0x4d1, 0x0c), // ELCR2: IRQ 10 and 11 level triggered
    ...[0x0f, 0x01, 0x15, ...u32(base + GDT + 0x20)], // lgdt
    ...movEax(DATA_SELECTOR),
    ...[0x8e, 0xd8], // mov ds, ax
    ...[0x8e, 0xc0], // mov es, ax
    ...[0x8e, 0xe0], // mov fs, ax
    ...[0x8e, 0xe8], // mov gs, ax
    ...[0x8e, 0xd0], // mov ss, ax
    ...[0xbc, ...u32(base + 0xff0)], // mov esp
    ...[0xbe, ...u32(base + BOOT_PARAMS)], // mov esi: boot_params
    ...[0x31, 0xed], // xor ebp, ebp
    ...[0x31, 0xff], // xor edi, edi
    ...[0x31, 0xdb], // xor ebx, ebx
    ...[0xea, ...u32(entry), ...u16(CODE_SELECTOR)], // ljmp
  ]);
}
