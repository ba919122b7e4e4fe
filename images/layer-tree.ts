/** A layer written by hand: entries with every attribute said, as a tar that is the same on every machine. */

/** 2026-01-01 00:00:00 UTC in seconds: the date of every entry that names no other. */
export const BUILD_TIME = 1_767_225_600;

export interface Attributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs?: bigint;
  readonly xattrs?: Readonly<Record<string, string>>;
}

interface Entry extends Attributes {
  readonly path: string;
  readonly flag: '0' | '1' | '2' | '5' | '6';
  readonly mode: number;
  readonly content: Uint8Array;
  readonly link: string;
}

const BLOCK = 512;
const NANOSECONDS = 1_000_000_000n;

/** Paths have no leading slash. Parents that a layer shares with the one below are said again, as `docker build` does. */
export class LayerTree {
  readonly #entries = new Map<string, Entry>();

  dir(path: string, attributes: Attributes = {}): this {
    return this.#add({ mode: 0o755, ...attributes, path, flag: '5', content: new Uint8Array(0), link: '' });
  }

  file(path: string, content: string | Uint8Array, attributes: Attributes = {}): this {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    return this.#add({ mode: 0o644, ...attributes, path, flag: '0', content: bytes, link: '' });
  }

  symlink(path: string, target: string, attributes: Attributes = {}): this {
    return this.#add({
      mode: 0o777,
      ...attributes,
      path,
      flag: '2',
      content: new Uint8Array(0),
      link: target,
    });
  }

  /** A further name of a file of the same tree; its attributes are the file's. */
  hardlink(path: string, target: string): this {
    const file = this.#entries.get(target);
    if (file === undefined) throw new Error(`${path}: there is no ${target} to link to`);
    return this.#add({ ...file, path, flag: '1', content: new Uint8Array(0), link: target });
  }

  fifo(path: string, attributes: Attributes = {}): this {
    return this.#add({ mode: 0o644, ...attributes, path, flag: '6', content: new Uint8Array(0), link: '' });
  }

  /** Hides `path` of the layers below (image-spec, layer.md, "Whiteouts"). */
  whiteout(path: string): this {
    const slash = path.lastIndexOf('/') + 1;
    return this.file(`${path.slice(0, slash)}.wh.${path.slice(slash)}`, '', { mode: 0 });
  }

  /** Hides everything that the layers below have in a directory. */
  opaque(directory: string): this {
    return this.file(`${directory}/.wh..wh..opq`, '', { mode: 0 });
  }

  /** The tar: bytewise by path, hard links after what they link to. */
  tar(): Uint8Array {
    const sorted = [...this.#entries.values()].sort((a, b) =>
      Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
    );
    const ordered = [
      ...sorted.filter(({ flag }) => flag !== '1'),
      ...sorted.filter(({ flag }) => flag === '1'),
    ];
    return Buffer.concat([...ordered.flatMap(records), new Uint8Array(2 * BLOCK)]);
  }

  #add(entry: Entry): this {
    if (this.#entries.has(entry.path)) throw new Error(`${entry.path} is there twice`);
    this.#entries.set(entry.path, entry);
    return this;
  }
}

/** POSIX.1-2001 pax: an extended header only where ustar cannot say it. */
function records(entry: Entry): Uint8Array[] {
  const mtimeNs = entry.mtimeNs ?? BigInt(BUILD_TIME) * NANOSECONDS;
  const extended = new Map<string, string>();
  const fraction = mtimeNs % NANOSECONDS;
  if (fraction !== 0n) extended.set('mtime', `${mtimeNs / NANOSECONDS}.${String(fraction).padStart(9, '0')}`);
  for (const [name, value] of Object.entries(entry.xattrs ?? {})) extended.set(`SCHILY.xattr.${name}`, value);
  const seconds = Number(mtimeNs / NANOSECONDS);
  const parts: Uint8Array[] = [];
  if (extended.size > 0) {
    const text = Buffer.from([...extended].map(([name, value]) => paxRecord(name, value)).join(''));
    const slash = entry.path.lastIndexOf('/') + 1;
    const path = `${entry.path.slice(0, slash)}PaxHeaders/${entry.path.slice(slash)}`;
    parts.push(header({ path, flag: 'x', mode: 0o644, size: text.length, seconds, link: '' }), padded(text));
  }
  const size = entry.flag === '0' ? entry.content.length : 0;
  parts.push(header({ ...entry, path: entry.flag === '5' ? `${entry.path}/` : entry.path, size, seconds }));
  parts.push(padded(entry.content));
  return parts;
}

function paxRecord(name: string, value: string): string {
  const rest = ` ${name}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length > length) length += 1;
  return `${length}${rest}`;
}

function padded(content: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(content.length / BLOCK) * BLOCK);
  whole.set(content);
  return whole;
}

function header(entry: {
  path: string;
  flag: string;
  mode: number;
  size: number;
  seconds: number;
  link: string;
  uid?: number;
  gid?: number;
}): Uint8Array {
  if (Buffer.byteLength(entry.path) > 100 || Buffer.byteLength(entry.link) > 100) {
    throw new Error(`${entry.path}: longer than the 100 bytes of a ustar header`);
  }
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;
  block.write(entry.path, 0);
  block.write(octal(entry.mode, 8), 100);
  block.write(octal(entry.uid ?? 0, 8), 108);
  block.write(octal(entry.gid ?? 0, 8), 116);
  block.write(octal(entry.size, 12), 124);
  block.write(octal(entry.seconds, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write(entry.flag, 156);
  block.write(entry.link, 157);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
