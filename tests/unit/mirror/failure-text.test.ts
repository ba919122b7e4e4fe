import { describe, expect, it } from 'vitest';
import { broken, unreachable } from '../../../src/engine/registry/request.ts';
import { failureText } from '../../../src/mirror/failure-text.ts';

const request = { url: 'https://registry.example/v2/', what: 'manifest for app:1' };

describe('the failure of a copy', () => {
  it.each([
    [
      'no answer',
      unreachable(request, new TypeError('connect ECONNREFUSED')),
      'cannot reach https://registry.example for manifest for app:1: connect ECONNREFUSED',
    ],
    [
      'an answer that broke off',
      broken(request, 5, new TypeError('terminated')),
      'the connection to https://registry.example broke after 5 bytes of manifest for app:1; try again: terminated',
    ],
  ])('%s', (_, error, text) => {
    expect(failureText('app:1', error, undefined)).toBe(text);
  });
});
