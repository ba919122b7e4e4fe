import { describe, expect, it } from 'vitest';
import type { ContainerSummary, ImageSummary } from '../../../src/rpc/sandbox.ts';
import { isNearlyFull, reclaimable } from '../../../src/ui/storage/reclaimable.ts';

/** An image whose layers are named by letters; each takes 10 bytes unpacked and 1 as it came. */
const image = (id: string, layers: string, reference = id) =>
  ({
    id,
    reference,
    layers: [...layers].map((diffID) => ({ diffID, size: 10, compressed: 1 })),
  }) as unknown as ImageSummary;

const container = (imageID: string, status: string, size: number) =>
  ({ imageID, status, size }) as unknown as ContainerSummary;

describe('what can be pruned', () => {
  it.each<[string, ImageSummary[], ContainerSummary[], number[]]>([
    ['nothing of nothing', [], [], [0, 0, 0, 0]],
    ['an image that no container uses', [image('a', 'xy')], [], [0, 0, 1, 22]],
    [
      'not an image that a stopped container uses',
      [image('a', 'x')],
      [container('a', 'exited', 5)],
      [1, 5, 0, 0],
    ],
    [
      'no container that lives',
      [image('a', 'x')],
      [container('a', 'running', 5), container('a', 'paused', 6)],
      [0, 0, 0, 0],
    ],
    ['containers that never ran', [image('a', 'x')], [container('a', 'created', 5)], [1, 5, 0, 0]],
    [
      'only layers that no used image has',
      [image('a', 'xy'), image('b', 'xz')],
      [container('a', 'running', 0)],
      [0, 0, 1, 11],
    ],
    ['layers of two unused images once', [image('a', 'xy'), image('b', 'xz')], [], [0, 0, 2, 33]],
    ['an image of two names once', [image('a', 'x', 'one'), image('a', 'x', 'two')], [], [0, 0, 1, 11]],
  ])('is %s', (_, images, containers, wanted) => {
    const { containers: stopped, images: unused } = reclaimable(images, containers);
    expect([stopped.count, stopped.bytes, unused.count, unused.bytes]).toEqual(wanted);
  });
});

it.each([
  [0, 32 * 1024 * 1024, false],
  [1, 32 * 1024 * 1024, true],
])('%i of %i bytes are nearly all: %s', (usage, quota, wanted) => {
  expect(isNearlyFull({ usage, quota })).toBe(wanted);
});
