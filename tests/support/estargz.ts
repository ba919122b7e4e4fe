/**
 * Writes eStargz layers as stargz-snapshotter's docs/estargz.md has them: for the
 * tests, since no package of the distribution has a tool that does. Small and
 * deterministic; what it makes is a gzip layer like any other, too.
 */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { TarReader } from '../../src/engine/archive/tar-reader.ts';

export interface StargzFile {
  readonly name: string;
  /** Default: `reg`. */
  readonly type?: 'reg' | 'dir' | 'symlink' | 'hardlink' | 'char' | 'fifo';
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly link?: string;
  readonly rdev?: readonly [number, number];
  readonly xattrs?: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  readonly mtime?: number;
}

/** An entry of the table of contents: what JSON can hold. */
export type StargzEntry = Record<string, unknown>;

export interface StargzOptions {
  /** Bytes of content of one chunk. */
  readonly chunkSize?: number;
  /** Put several small files into one gzip member. */
  readonly shared?: boolean;
  /** Of gzip; default 9. */
  readonly level?: number;
  /** The footer of stargz, before eStargz gave it a subfield. */
  readonly legacyFooter?: boolean;
  /** Changes the table before it is written and digested. */
  readonly edit?: (toc: { version: number; entries: StargzEntry[] }) => unknown;
}

export interface StargzLayer {
  readonly blob: Buffer;
  /** The uncompressed tar. */
  readonly tar: Buffer;
  readonly diffID: `sha256:${string}`;
  readonly digest: `sha256:${string}`;
  readonly tocOffset: number;
  readonly tocDigest: `sha256:${string}`;
  readonly annotations: Readonly<Record<string, string>>;
  readonly entries: readonly StargzEntry[];
}

const sha256 = (bytes: Uint8Array): `sha256:${string}` =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const typeFlags = { reg: '0', hardlink: '1', symlink: '2', char: '3', dir: '5', fifo: '6' } as const;

function header(name: string, size: number, flag: string, file: Partial<StargzFile> = {}): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  block.write(name, 0);
  block.write(octal(file.mode ?? 0o644, 8), 100);
  block.write(octal(file.uid ?? 0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(file.mtime ?? 0, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write(flag, 156);
  block.write(file.link ?? '', 157);
  block.write('ustar\x0000', 257);
  block.write(octal(file.rdev?.[0] ?? 0, 8), 329);
  block.write(octal(file.rdev?.[1] ?? 0, 8), 337);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

function paxHeader(xattrs: Readonly<Record<string, string>>): Buffer {
  const records = Object.entries(xattrs).map(([name, value]) => {
    const rest = ` SCHILY.xattr.${name}=${value}\n`;
    let length = rest.length + 1;
    while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
    return `${length}${rest}`;
  });
  const bytes = Buffer.from(records.join(''), 'latin1');
  return Buffer.concat([header('PaxHeaders/entry', bytes.length, 'x'), padded(bytes)]);
}

/** The blob, its tar and its table as they grow. */
class StargzWriter {
  readonly #options: StargzOptions;
  readonly #members: Buffer[] = [];
  readonly #tar: Buffer[] = [];
  readonly #entries: StargzEntry[] = [];
  #written = 0;
  /** Of the gzip member that is not closed yet. */
  #open: Buffer[] = [];

  constructor(options: StargzOptions) {
    this.#options = options;
  }

  /** Header blocks, or padding. */
  put(bytes: Buffer): void {
    this.#open.push(bytes);
    this.#tar.push(bytes);
  }

  /** An entry without content. */
  add(entry: StargzEntry): void {
    this.#entries.push(entry);
  }

  /** The content of a file, a chunk after the other. */
  addContent(entry: StargzEntry, content: Buffer): void {
    const chunkSize = this.#options.chunkSize ?? 4 << 20;
    for (let at = 0; at < content.length; at += chunkSize) {
      const chunk = content.subarray(at, at + chunkSize);
      if (this.#options.shared !== true || this.#written === 0) this.#close();
      const isLast = at + chunk.length === content.length;
      this.add({
        ...(at === 0 ? entry : { name: entry.name, type: 'chunk' }),
        offset: this.#written,
        ...(this.#open.length > 0 && {
          innerOffset: this.#open.reduce((sum, { length }) => sum + length, 0),
        }),
        ...(at > 0 && { chunkOffset: at }),
        ...(!isLast && { chunkSize: chunk.length }),
        chunkDigest: sha256(chunk),
      });
      this.put(Buffer.from(chunk));
    }
    this.put(padded(content).subarray(content.length));
  }

  finish(): StargzLayer {
    const { edit, legacyFooter } = this.#options;
    this.#close();
    const tocOffset = this.#written;
    const toc: { version: number; entries: StargzEntry[] } = { version: 1, entries: this.#entries };
    const json = Buffer.from(JSON.stringify(edit?.(toc) ?? toc, undefined, '\t'));
    this.put(
      Buffer.concat([header('stargz.index.json', json.length, '0'), padded(json), Buffer.alloc(1024)]),
    );
    this.#close();
    this.#members.push(footer(tocOffset, legacyFooter === true));
    const blob = Buffer.concat(this.#members);
    const tar = Buffer.concat(this.#tar);
    const tocDigest = sha256(json);
    return {
      blob,
      tar,
      diffID: sha256(tar),
      digest: sha256(blob),
      tocOffset,
      tocDigest,
      annotations: { 'containerd.io/snapshot/stargz/toc.digest': tocDigest },
      entries: this.#entries,
    };
  }

  #close(): void {
    if (this.#open.length === 0) return;
    const member = gzipSync(Buffer.concat(this.#open), { level: this.#options.level ?? 9 });
    this.#members.push(member);
    this.#written += member.length;
    this.#open = [];
  }
}

/** The layer with these files, in their order. */
export function stargzLayer(files: readonly StargzFile[], options: StargzOptions = {}): StargzLayer {
  const writer = new StargzWriter(options);
  for (const file of files) {
    const type = file.type ?? 'reg';
    const content = Buffer.from(file.content ?? '');
    if (file.xattrs !== undefined) writer.put(paxHeader(file.xattrs));
    writer.put(header(file.name, type === 'reg' ? content.length : 0, typeFlags[type], file));
    const entry: StargzEntry = {
      name: file.name,
      type,
      mode: file.mode ?? 0o644,
      ...(file.uid !== undefined && { uid: file.uid }),
      ...(file.mtime !== undefined && { modtime: timeOf(file.mtime) }),
      ...(file.link !== undefined && { linkName: file.link }),
      ...(file.rdev !== undefined && { devMajor: file.rdev[0], devMinor: file.rdev[1] }),
      ...(file.xattrs !== undefined && {
        xattrs: Object.fromEntries(
          Object.entries(file.xattrs).map(([name, value]) => [
            name,
            Buffer.from(value, 'latin1').toString('base64'),
          ]),
        ),
      }),
      ...(type === 'reg' && { size: content.length, digest: sha256(content) }),
    };
    if (type !== 'reg' || content.length === 0) writer.add(entry);
    else writer.addContent(entry, content);
  }
  return writer.finish();
}

/** A layer's tar made an eStargz layer: its bytes stay as they are, up to the end of the archive. */
export function stargzFromTar(tar: Buffer, options: StargzOptions = {}): StargzLayer {
  const writer = new StargzWriter(options);
  let at = 0;
  const reader = new TarReader((found) => {
    const { path, type, mode, uid, gid, mtimeNs, size, offset, link, rdev, xattrs } = found;
    writer.put(tar.subarray(at, offset));
    at = offset + Math.ceil(size / 512) * 512;
    const content = tar.subarray(offset, offset + size);
    const entry: StargzEntry = {
      name: path,
      type: type === 'file' ? 'reg' : type,
      mode,
      uid,
      gid,
      modtime: timeOf(Number(mtimeNs / 1_000_000_000n)),
      ...(link !== undefined && { linkName: link }),
      ...(rdev !== undefined && { devMajor: rdev[0], devMinor: rdev[1] }),
      ...(xattrs !== undefined && {
        xattrs: Object.fromEntries(
          [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
        ),
      }),
      ...(type === 'file' && { size, digest: sha256(content) }),
    };
    if (type !== 'file' || size === 0) writer.add(entry);
    else writer.addContent(entry, content);
  });
  reader.push(tar);
  reader.end();
  return writer.finish();
}

const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000', '');

/** An empty gzip member whose extra field has the place of the table. */
function footer(tocOffset: number, isLegacy: boolean): Buffer {
  const field = Buffer.from(`${tocOffset.toString(16).padStart(16, '0')}STARGZ`);
  const extra = isLegacy ? field : Buffer.concat([Buffer.from([0x53, 0x47, field.length, 0]), field]);
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, extra.length, 0]),
    extra,
    Buffer.from([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]);
}
