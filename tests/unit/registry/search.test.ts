import { describe, expect, it } from 'vitest';
import { findRepositories, type SearchedPlace } from '../../../src/engine/registry/search.ts';

const layout = (name: string, names: readonly string[]): SearchedPlace => ({
  name,
  key: 'docker.io',
  kind: 'layout',
  list: async () => names.map((listed) => ({ name: listed, description: `of ${name}` })),
});

describe('findRepositories', () => {
  it('has a repository once, with the tags that all layouts name, and where it was found first', async () => {
    const { repositories } = await findRepositories([
      layout('one', ['busybox:1', 'a/b:1', 'busybox:2']),
      layout('two', ['docker.io/library/busybox:2', 'busybox:3']),
    ]);
    expect(repositories).toEqual([
      { name: 'a/b', isOfficial: false, description: 'of one', tags: ['1'], place: 'one' },
      { name: 'busybox', isOfficial: true, description: 'of one', tags: ['1', '2', '3'], place: 'one' },
    ]);
  });

  // as many as the index of a layout may have; a time that grew with their square was most of a minute
  it('takes no time for many thousand tags of one repository', { timeout: 10_000 }, async () => {
    const names = Array.from({ length: 30_000 }, (_, i) => `busybox:t${i}`);
    const { repositories } = await findRepositories([layout('one', names)]);
    expect(repositories.map(({ tags }) => tags.length)).toEqual([30_000]);
  });
});
