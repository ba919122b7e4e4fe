/** Which `Untagged:` lines `docker rmi` has: that of a repo digest is there only if the registry has it. */

import { describe, expect, it } from 'vitest';
import { openSandbox } from '../container/sandbox.ts';

type Story = readonly (readonly [line: string, untagged: readonly string[]])[];

const DIGEST = 'busybox@sha256:';

const stories: readonly (readonly [string, Story])[] = [
  ['pulled', [['rmi busybox', ['busybox:latest', DIGEST]]]],
  [
    'tagged in another repository',
    [
      ['tag busybox mine:1', []],
      ['rmi mine:1', ['mine:1']],
      ['rmi busybox', ['busybox:latest', DIGEST]],
    ],
  ],
  [
    'tagged in the same repository: the digest goes with the last tag',
    [
      ['tag busybox busybox:own', []],
      ['rmi busybox', ['busybox:latest']],
      ['rmi busybox:own', ['busybox:own', DIGEST]],
    ],
  ],
  [
    'committed',
    [
      ['create --name web busybox sh', []],
      ['commit web made:1', []],
      ['rmi made:1', ['made:1']],
    ],
  ],
  [
    'imported',
    [
      ['save -o box.tar busybox', []],
      ['import box.tar flat:1', []],
      ['rmi flat:1', ['flat:1']],
    ],
  ],
  [
    'loaded',
    [
      ['save -o box.tar busybox', []],
      ['rmi busybox', ['busybox:latest', DIGEST]],
      ['load -i box.tar', []],
      ['rmi busybox', ['busybox:latest']],
    ],
  ],
  [
    'loaded over what was pulled',
    [
      ['tag busybox mine:1', []],
      ['save -o box.tar busybox mine:1', []],
      ['load -i box.tar', []],
      ['rmi mine:1', ['mine:1']],
      ['rmi busybox', ['busybox:latest', DIGEST]],
    ],
  ],
];

describe('docker rmi of an image', () => {
  it.each(stories)('%s', async (_, story) => {
    const { docker } = await openSandbox({ withoutMachine: true });
    await docker('pull busybox');
    for (const [line, untagged] of story) {
      const { code, out, err } = await docker(line);
      expect({ line, code, err }).toEqual({ line, code: 0, err: '' });
      const lines = out.split('\n').flatMap((text) => /^Untagged: (.*)$/.exec(text)?.[1] ?? []);
      expect(
        lines.map((text) => text.replace(/(?<=@sha256:)[0-9a-f]{64}$/, '')),
        line,
      ).toEqual(untagged);
    }
  });

  it('of which an older record does not say where it came from', async () => {
    const { docker, stores } = await openSandbox({ withoutMachine: true });
    await docker('pull busybox');
    const [record] = await stores.records.list('images');
    if (record === undefined) throw new Error('nothing was pulled');
    const { hasRepoDigest, ...older } = record;
    expect(hasRepoDigest).toBe(true);
    await stores.records.commit([{ kind: 'images', put: older }]);
    expect((await docker('rmi busybox')).out).toMatch(/^Untagged: busybox:latest\nDeleted: /);
  });
});
