import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/engine/registry/challenge.ts';

describe('a WWW-Authenticate header', () => {
  it.each<[string, [string, Record<string, string>][]]>([
    [
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull"',
      [
        [
          'bearer',
          { realm: 'https://auth.example/token', service: 'registry.example', scope: 'repository:a/b:pull' },
        ],
      ],
    ],
    ['BEARER Realm=x , Service=y', [['bearer', { realm: 'x', service: 'y' }]]],
    [
      'Basic realm="a, b", Bearer realm="c"',
      [
        ['basic', { realm: 'a, b' }],
        ['bearer', { realm: 'c' }],
      ],
    ],
    [
      'Negotiate, Bearer realm="c"',
      [
        ['negotiate', {}],
        ['bearer', { realm: 'c' }],
      ],
    ],
    [
      'Negotiate abc==, Bearer realm="c"',
      [
        ['negotiate', {}],
        ['bearer', { realm: 'c' }],
      ],
    ],
    ['Bearer realm="say \\"hi\\"",error="x"', [['bearer', { realm: 'say "hi"', error: 'x' }]]],
    ['Bearer realm="a",realm="b"', [['bearer', { realm: 'a' }]]],
    [', ,Bearer realm="a",,', [['bearer', { realm: 'a' }]]],
    ['Bearer realm = "a" , service = "b"', [['bearer', { realm: 'a', service: 'b' }]]],
    ['Bearer realm="never closed', [['bearer', {}]]],
    ['Bearer', [['bearer', {}]]],
    ['', []],
    ['"quoted"', []],
  ])('%s', (header, challenges) => {
    const read = parseChallenges(header).map(({ scheme, parameters }) => [
      scheme,
      Object.fromEntries(parameters),
    ]);
    expect(read).toEqual(challenges);
  });

  it('of 100,000 characters is read at once', () => {
    const start = performance.now();
    parseChallenges(`Bearer ${'a'.repeat(100_000)}`);
    parseChallenges(`Bearer realm="${'\\'.repeat(100_000)}`);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
