import { describe, expect, it } from 'vitest';
import { walkArgv } from '../../../src/engine/container/walk-shell.ts';

const shell = '/.layerbox/bin/sh';

describe('what runs on an image that cannot run', () => {
  const rows: readonly { argv: readonly string[]; want: readonly string[] }[] = [
    { argv: ['sh'], want: [shell] },
    { argv: ['/bin/bash', '-c', 'ls'], want: [shell, '-c', 'ls'] },
    { argv: ['busybox', 'sh', '-l'], want: [shell, '-l'] },
    { argv: ['busybox'], want: ['busybox'] },
    { argv: ['/bin/busybox', 'true'], want: ['/bin/busybox', 'true'] },
    { argv: ['/bin/ls'], want: ['/bin/ls'] },
    { argv: [], want: [] },
  ];
  for (const { argv, want } of rows) {
    it(`${JSON.stringify(argv)} becomes ${JSON.stringify(want)}`, () => {
      expect(walkArgv(argv)).toEqual(want);
    });
  }
});
