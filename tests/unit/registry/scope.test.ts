import { describe, expect, it } from 'vitest';
import { mergeScopes, repositoryScope } from '../../../src/engine/registry/scope.ts';

describe('scopes', () => {
  it.each<[readonly string[], readonly string[]]>([
    [['repository:a/b:pull'], ['repository:a/b:pull']],
    [['repository:a/b:pull', 'repository:a/b:pull'], ['repository:a/b:pull']],
    [['repository:a/b:pull', 'repository:a/b:pull,push'], ['repository:a/b:pull,push']],
    [['repository:a/b:push', 'repository:a/b:pull'], ['repository:a/b:push,pull']],
    [
      ['repository:a/b:pull', 'repository:c:pull repository:a/b:delete'],
      ['repository:a/b:pull,delete', 'repository:c:pull'],
    ],
    [['repository:host:5000/a:pull', ''], ['repository:host:5000/a:pull']],
    [['', ' '], []],
    [['odd'], ['odd']],
  ])('%j are %j', (lists, merged) => {
    expect(mergeScopes(...lists)).toEqual(merged);
  });

  it('of a repository', () => {
    expect(repositoryScope('a/b', 'pull,push')).toBe('repository:a/b:pull,push');
  });
});
