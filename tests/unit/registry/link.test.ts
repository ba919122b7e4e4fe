import { describe, expect, it } from 'vitest';
import { linkTarget, nextPage } from '../../../src/engine/registry/link.ts';

describe('a Link header', () => {
  it.each<[string, string | undefined]>([
    ['</v2/_catalog?last=b&n=2>; rel="next"', '/v2/_catalog?last=b&n=2'],
    ['<a>;rel=next', 'a'],
    ['<a>; REL="Next"', 'a'],
    ['<a>; title="x; rel=prev, <b>"; rel="prev next"', 'a'],
    ['<a>; rel="prev", <b>; rel="next"', 'b'],
    ['<a>; rel="prev" ,, <b>;rel=next', 'b'],
    ['<a>; rel="prev"; rel="next"', undefined],
    ['<a>', undefined],
    ['<a; rel="next"', undefined],
    ['a; rel="next"', undefined],
    ['<a> rel="next"', undefined],
    ['<>; rel="next"', ''],
    ['', undefined],
    ['<a>; rel="nextish"', undefined],
    ['<a>; rel="never closed', undefined],
  ])('%s', (header, target) => {
    expect(linkTarget(header, 'next')).toBe(target);
  });

  it('of 100,000 characters is read at once', () => {
    const start = performance.now();
    for (const header of [
      `<${'a'.repeat(100_000)}`,
      `<a>${';a=b'.repeat(30_000)}`,
      '<a>,'.repeat(30_000),
      `<a>; rel="${'\\'.repeat(100_000)}`,
    ]) {
      linkTarget(header, 'next');
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('the next page', () => {
  const current = 'https://registry.example/v2/_catalog?n=2';
  it.each<[string, string | undefined]>([
    ['</v2/_catalog?last=b&n=2>; rel="next"', 'https://registry.example/v2/_catalog?last=b&n=2'],
    ['<?last=b>; rel="next"', 'https://registry.example/v2/_catalog?last=b'],
    // a registry behind a proxy may not know that it is asked by https
    [
      '<http://registry.example/v2/_catalog?last=b>; rel="next"',
      'https://registry.example/v2/_catalog?last=b',
    ],
    ['</x>; rel="prev"', undefined],
  ])('of %s', (link, url) => {
    expect(nextPage(link, current, 'x')).toBe(url);
  });

  it.each([
    'https://elsewhere.example/v2/_catalog?last=b',
    '//elsewhere.example/v2/',
    'https://registry.example:444/v2/',
    'https://user:password@registry.example/v2/',
    'javascript:alert(1)',
    'https://[',
  ])('is not %s', (target) => {
    expect(() => nextPage(`<${target}>; rel="next"`, current, 'the list')).toThrow(
      'registry.example names another place for more of the list',
    );
  });
});
