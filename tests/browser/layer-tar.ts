/** A layer made of plain files, as a registry would serve it. */

import type { IngestRequest } from '../../src/engine/image/layer-ingestor.ts';
import { type Digest, digestOf } from '../../src/engine/oci/digest.ts';

/** A ustar archive (POSIX.1-1988, "ustar Interchange Format") of files, mode 644, all else zero. */
export function tarOf(files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  for (const [path, content] of Object.entries(files)) {
    const header = new Uint8Array(512);
    const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
    put(0, path);
    put(100, '0000644\0');
    put(108, '0000000\0');
    put(116, '0000000\0');
    put(124, `${content.byteLength.toString(8).padStart(11, '0')}\0`);
    put(136, '00000000000\0');
    put(148, '        ');
    put(156, '0');
    put(257, 'ustar\x0000');
    let sum = 0;
    for (const byte of header) sum += byte;
    put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
    blocks.push(header, content, new Uint8Array((512 - (content.byteLength % 512)) % 512));
  }
  blocks.push(new Uint8Array(1024));
  const tar = new Uint8Array(blocks.reduce((length, block) => length + block.byteLength, 0));
  let at = 0;
  for (const block of blocks) {
    tar.set(block, at);
    at += block.byteLength;
  }
  return tar;
}

export async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** One zstd frame (RFC 8878) of raw blocks, with a window of 2^`windowLog` bytes and no content size. */
export function zstdFrame(bytes: Uint8Array<ArrayBuffer>, windowLog: number): Uint8Array<ArrayBuffer> {
  const blockLength = 128 << 10;
  const blocks = Math.max(1, Math.ceil(bytes.length / blockLength));
  const frame = new Uint8Array(6 + 3 * blocks + bytes.length);
  frame.set([0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3]);
  let at = 6;
  for (let block = 0; block < blocks; block++) {
    const content = bytes.subarray(block * blockLength, (block + 1) * blockLength);
    const header = (content.length << 3) | (block === blocks - 1 ? 1 : 0);
    frame.set([header & 0xff, (header >> 8) & 0xff, header >> 16], at);
    frame.set(content, at + 3);
    at += 3 + content.length;
  }
  return frame;
}

export interface ServedLayer {
  readonly request: IngestRequest;
  readonly diffID: Digest;
}

/** Serves `sent` (default: the blob itself) under a URL that lives as long as the page. */
export async function serveLayer(
  tar: Uint8Array<ArrayBuffer>,
  options: {
    readonly compressed: boolean;
    /** In place of a gzip of the tar. */
    readonly blob?: Uint8Array<ArrayBuffer>;
    readonly sent?: Uint8Array<ArrayBuffer>;
  },
): Promise<ServedLayer> {
  const blob = options.blob ?? (options.compressed ? await gzipped(tar) : tar);
  const digest = await digestOf(blob);
  const diffID = await digestOf(tar);
  const suffix = options.compressed ? '+gzip' : '';
  return {
    diffID,
    request: {
      id: `pull/${digest}`,
      url: URL.createObjectURL(new Blob([options.sent ?? blob])),
      headers: {},
      what: `layer ${digest}`,
      blob: {
        mediaType: `application/vnd.oci.image.layer.v1.tar${suffix}`,
        digest,
        size: blob.byteLength,
      },
      diffID,
    },
  };
}
