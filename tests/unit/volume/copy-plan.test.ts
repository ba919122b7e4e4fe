/** The table of Docker's documentation (docker container cp), and the words of docker 28.2.2. */

import { describe, expect, it } from 'vitest';
import { copyPlan, placeOf, splitContainerPath } from '../../../src/engine/cli/copy-plan.ts';

const file = { name: 'f', isDirectory: false };
const dir = { name: 'd', isDirectory: true };
const content = { name: '', isDirectory: true };

describe('docker cp', () => {
  it.each([
    [file, '/new', undefined, { directory: '/', name: 'new' }],
    [file, '/x/there', 'other', { directory: '/x', name: 'there' }],
    [file, '/x', 'directory', { directory: '/x', name: 'f' }],
    [file, '/x/', 'directory', { directory: '/x', name: 'f' }],
    [dir, '/x/new', undefined, { directory: '/x', name: 'new' }],
    [dir, '/x/new/', undefined, { directory: '/x', name: 'new' }],
    [dir, '/x', 'directory', { directory: '/x', name: 'd' }],
    [content, '/x', 'directory', { directory: '/x', name: '' }],
    [content, '/x/new', undefined, { directory: '/x', name: 'new' }],
  ] as const)('%j to %s (%s)', (source, path, kind, plan) => {
    expect(copyPlan(source, { path, kind })).toEqual(plan);
  });

  it.each([
    [dir, '/there', 'other', 'cannot copy directory'],
    [file, '/new/', undefined, 'no such directory'],
    [file, '/new/.', undefined, 'no such directory'],
  ] as const)('%j to %s (%s) is refused: %s', (source, path, kind, words) => {
    expect(() => copyPlan(source, { path, kind })).toThrow(words);
  });

  it.each([
    ['/a/b', { directory: '/a', name: 'b' }],
    ['/a/b/', { directory: '/a', name: 'b' }],
    ['/a/b/.', { directory: '/a/b', name: '' }],
    ['/', { directory: '/', name: '' }],
    ['/a/../b', { directory: '/', name: 'b' }],
  ])('%s is %j', (path, place) => expect(placeOf(path)).toEqual(place));

  it.each([
    ['web:/x', { container: 'web', path: '/x' }],
    ['web:x:y', { container: 'web', path: 'x:y' }],
    ['/a:b', { container: '', path: '/a:b' }],
    ['./a:b', { container: '', path: './a:b' }],
    ['a', { container: '', path: 'a' }],
  ])('%s names %j', (word, end) => expect(splitContainerPath(word)).toEqual(end));
});
