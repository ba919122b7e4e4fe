import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Extents } from '../../../src/engine/unionfs/extents.ts';
import { Segment } from '../../../src/engine/unionfs/segment.ts';

const LENGTH = 24;
const homes = [undefined, new Segment(1, 1, 0), new Segment(2, 2, 0)] as const;

type Step =
  | {
      readonly kind: 'put';
      readonly start: number;
      readonly length: number;
      readonly home: number;
      readonly at: number;
    }
  | { readonly kind: 'punch'; readonly start: number; readonly length: number }
  | { readonly kind: 'truncate'; readonly start: number };

const offset = fc.nat({ max: LENGTH - 1 });
const length = fc.integer({ min: 0, max: 8 });
const step: fc.Arbitrary<Step> = fc.oneof(
  // few places, so that neighbours in the file are neighbours in a home, or would be in another
  fc.record({
    kind: fc.constant('put'),
    start: offset,
    length,
    home: fc.nat({ max: 2 }),
    at: fc.nat({ max: 6 }),
  }),
  fc
    .tuple(offset, length, fc.nat({ max: 2 }))
    .map(([start, length, home]) => ({ kind: 'put' as const, start, length, home, at: start })),
  fc.record({ kind: fc.constant('punch'), start: offset, length }),
  fc.record({ kind: fc.constant('truncate'), start: offset }),
);

/** Where each byte lies: `home:at`, or nothing for a hole. */
function placesOf(extents: Extents): string[] {
  const places: string[] = [];
  for (let byte = 0; byte < LENGTH + 8; byte++) {
    const [extent, ...more] = extents.overlapping(byte, byte + 1);
    expect(more).toEqual([]);
    places.push(
      extent === undefined ? '' : `${homes.indexOf(extent.home)}:${extent.at + byte - extent.start}`,
    );
  }
  return places;
}

describe('extents', () => {
  it('say of each byte where it lies, as a list of bytes would', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const extents = new Extents();
        const places = Array.from({ length: LENGTH + 8 }, () => '');
        for (const segment of homes) if (segment !== undefined) segment.live = 0;
        for (const each of steps) {
          const { start } = each;
          if (each.kind === 'put') {
            extents.put(start, start + each.length, homes[each.home], each.at);
            for (let i = 0; i < each.length; i++) places[start + i] = `${each.home}:${each.at + i}`;
          } else {
            const end = each.kind === 'punch' ? start + each.length : places.length;
            if (each.kind === 'punch') extents.punch(start, end);
            else extents.truncate(start);
            places.fill('', start, end);
          }
          expect(placesOf(extents)).toEqual(places);
          expect(extents.mapped).toBe(places.filter((place) => place !== '').length);
          homes.forEach((segment, home) => {
            const live = places.filter((place) => place.startsWith(`${home}:`)).length;
            if (segment !== undefined) expect(segment.live).toBe(live);
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are one where they go on in the same home, and two where they do not', () => {
    const [, first, second] = homes;
    const extents = new Extents();
    extents.put(0, 4, first, 100);
    extents.put(4, 8, first, 104);
    expect(extents.all).toHaveLength(1);
    extents.put(8, 12, second, 108);
    extents.put(12, 16, second, 113);
    expect(extents.all.map(({ start, home, at }) => [start, home?.id, at])).toEqual([
      [0, 1, 100],
      [8, 2, 108],
      [12, 2, 113],
    ]);
  });
});
