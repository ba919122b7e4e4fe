import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeName } from '../../../src/engine/names.ts';
import * as protocol from '../../../src/machine/protocol.ts';

const { decodeWords, encodeFrame, encodeWords, FRAME, FrameReader, readU16, readU32, u16s, u32s } = protocol;

/** Every `#define NAME number` and `NAME = number` of the agent's header. */
function headerConstants(): Map<string, number> {
  const source = readFileSync(new URL('../../../guest/agent/protocol.h', import.meta.url), 'utf8');
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '');
  const found = code.matchAll(/(?:#define\s+([A-Z_]+)\s+|\b([A-Z_]+)\s*=\s*)(\d+)/g);
  return new Map(Array.from(found, ([, define, member, value]) => [define ?? member ?? '', Number(value)]));
}

describe('the constants', () => {
  const inHeader = headerConstants();
  const ours = new Map<string, number>([
    ['PROTOCOL_VERSION', protocol.PROTOCOL_VERSION],
    ['MAX_PAYLOAD', protocol.MAX_PAYLOAD],
    ['WINDOW', protocol.WINDOW],
    ...Object.entries(protocol.STREAM).map(([name, value]) => [`STREAM_${name}`, value] as const),
    ...Object.entries(FRAME).map(([name, value]) => [`FRAME_${name}`, value] as const),
  ]);

  it('are those of guest/agent/protocol.h, all of them and no others', () => {
    expect(inHeader.size).toBeGreaterThan(15);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(inHeader));
  });
});

describe('frames', () => {
  it('have the layout of the header: length, channel, type, flag, payload', () => {
    expect([...encodeFrame(0x1234, FRAME.DATA, 2, Uint8Array.of(7, 8, 9))]).toEqual([
      3, 0, 0, 0, 0x34, 0x12, 2, 2, 7, 8, 9,
    ]);
  });

  it.each([1, 2, 7, 8, 9, 100, 10_000])('come out whole when the stream comes in pieces of %i', (size) => {
    const sent = [
      encodeFrame(1, FRAME.DATA, 1, new Uint8Array(protocol.MAX_PAYLOAD).fill(5)),
      encodeFrame(2, FRAME.EOF, 1),
      encodeFrame(3, FRAME.CREDIT, 0, u32s(77)),
    ];
    const stream = Uint8Array.from(sent.flatMap((frame) => [...frame]));
    const reader = new FrameReader();
    const seen: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      for (const { channel, type, flag, payload } of reader.push(stream.slice(at, at + size))) {
        seen.push(`${channel} ${type} ${flag} ${payload.length} ${payload.at(-1)}`);
      }
    }
    expect(seen).toEqual([`1 2 1 16384 5`, `2 3 1 0 undefined`, `3 4 0 4 0`]);
    expect(reader.isEmpty).toBe(true);
  });

  it('that are too long are refused on both sides', () => {
    expect(() => encodeFrame(1, 2, 0, new Uint8Array(protocol.MAX_PAYLOAD + 1))).toThrow(/at most 16384/);
    const announced = Uint8Array.of(1, 0x40, 0, 0, 0, 0, 2, 0);
    expect(() => [...new FrameReader().push(announced)]).toThrow(/announced a frame of 16385/);
  });

  it('with a payload that is too short are noticed', () => {
    expect(() => readU32(Uint8Array.of(1, 2, 3))).toThrow(/payload of 3 bytes where 4 were due/);
    expect(() => readU16(u16s(1), 2)).toThrow(/payload of 2 bytes where 4 were due/);
    expect([readU32(u32s(5, 0xffffffff), 4), readU16(u16s(5, 65535), 2)]).toEqual([0xffffffff, 65535]);
  });
});

describe('word lists', () => {
  it('keep order, repetition, empty values and "=" in values', () => {
    const words = [
      ['argv', 'sh'],
      ['argv', ''],
      ['env', 'A=b=c'],
      ['cwd', '/ä'],
    ] as const;
    expect(decodeWords(encodeWords(words))).toEqual(words);
  });

  it('keep names that are no UTF-8', () => {
    const name = decodeName(Uint8Array.of(0x66, 0xff, 0xc3));
    const bytes = encodeWords([
      ['argv', name],
      ['argv', 'é'],
    ]);
    expect([...bytes.subarray(5, 8)]).toEqual([0x66, 0xff, 0xc3]);
    expect(decodeWords(bytes)).toEqual([
      ['argv', name],
      ['argv', 'é'],
    ]);
  });

  it('refuse a NUL, which would smuggle in a word', () => {
    expect(() => encodeWords([['argv', 'x\0uid=0']])).toThrow(/contains a NUL/);
  });

  it('are read to the end when the last NUL is missing', () => {
    expect(decodeWords(new TextEncoder().encode('argv=a\0flag'))).toEqual([
      ['argv', 'a'],
      ['flag', ''],
    ]);
  });
});
