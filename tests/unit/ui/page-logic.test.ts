import { describe, expect, it } from 'vitest';
import { changesOf, countChanges } from '../../../src/ui/containers/change.ts';
import { historyLine } from '../../../src/ui/layers/history-line.ts';
import { hueCount, hueOf, huesOf, shortDigest } from '../../../src/ui/layers/hue.ts';
import { formatRoute, parseRoute, type Route } from '../../../src/ui/route.ts';
import { exactSize, formatSize } from '../../../src/ui/size.ts';
import { typedCommand } from '../../../src/ui/terminal/typed-command.ts';

describe('a hash URL', () => {
  const rows: { hash: string; route: Route }[] = [
    { hash: '#/', route: { view: 'home' } },
    { hash: '#/storage', route: { view: 'storage' } },
    { hash: '#/images/busybox:1.35', route: { view: 'image', reference: 'busybox:1.35' } },
    {
      hash: '#/images/127.0.0.1:5000/a/b@sha256:00',
      route: { view: 'image', reference: '127.0.0.1:5000/a/b@sha256:00' },
    },
    { hash: '#/images/%3Cnone%3E', route: { view: 'image', reference: '<none>' } },
    { hash: '#/containers/web_1', route: { view: 'container', name: 'web_1' } },
    { hash: '#/nowhere', route: { view: 'unknown', hash: '#/nowhere' } },
    { hash: '#/images/', route: { view: 'unknown', hash: '#/images/' } },
    { hash: '#/images/%E0%A4%A', route: { view: 'unknown', hash: '#/images/%E0%A4%A' } },
  ];
  it.each(rows)('$hash names its view, and the view its hash', ({ hash, route }) => {
    expect(parseRoute(hash)).toEqual(route);
    expect(formatRoute(route)).toBe(hash);
  });
  it('may be empty', () => {
    expect(parseRoute('')).toEqual({ view: 'home' });
  });
});

describe('a size', () => {
  it.each([
    [0, '0 B', '0 bytes'],
    [1, '1 B', '1 byte'],
    [999, '999 B', '999 bytes'],
    [1000, '1 KB', '1,000 bytes'],
    [999_499, '999 KB', '999,499 bytes'],
    [999_500, '1 MB', '999,500 bytes'],
    [1_120_336, '1.12 MB', '1,120,336 bytes'],
    [412_000_000, '412 MB', '412,000,000 bytes'],
  ])('%i is %s, exactly %s', (bytes, short, exact) => {
    expect(formatSize(bytes)).toBe(short);
    expect(exactSize(bytes)).toBe(exact);
  });
});

describe('the hue of a layer', () => {
  const digests = Array.from(
    { length: 500 },
    (_, i) => `sha256:${(i * 2_654_435_761).toString(16).padStart(64, '0')}`,
  );
  it('is the same for the same diffID and takes all of the palette', () => {
    const seen = new Set(
      Array.from({ length: 64 }, (_, i) =>
        hueOf(`sha256:${i.toString(16).padStart(8, '0')}${'0'.repeat(56)}`),
      ),
    );
    expect([...seen].sort()).toEqual(Array.from({ length: hueCount }, (_, i) => i));
    for (const digest of digests) expect(hueOf(digest)).toBe(hueOf(digest));
  });
  it.each(['', 'sha256:', 'nonsense', 'sha256:XYZ', '\ud800'])('is in the palette for %j too', (text) => {
    expect(hueOf(text)).toBeGreaterThanOrEqual(0);
    expect(hueOf(text)).toBeLessThan(hueCount);
  });
  it('is another for each of the nine layers that lie together', () => {
    const same = Array.from({ length: 20 }, () => `sha256:${'0'.repeat(64)}`);
    const hues = huesOf(same);
    for (let at = 0; at + hueCount <= hues.length; at++) {
      expect(new Set(hues.slice(at, at + hueCount)).size).toBe(hueCount);
    }
  });
  it('depends on what lies below alone, so that a shared base looks shared', () => {
    const base = digests.slice(0, 5);
    expect(huesOf([...base, 'sha256:00000001']).slice(0, 5)).toEqual(huesOf(base));
    expect(huesOf(base)[0]).toBe(hueOf(base[0] ?? ''));
  });
  it('goes with twelve digits of the digest', () => {
    expect(shortDigest(`sha256:${'0123456789abcdef'.repeat(4)}`)).toBe('0123456789ab');
  });
});

describe('a line of history', () => {
  it.each([
    ['/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'],
    ['/bin/sh -c apt-get update', 'RUN apt-get update'],
    ['RUN /bin/sh -c make # buildkit', 'RUN make'],
    ['COPY site /var/www # buildkit', 'COPY site /var/www'],
    ['|1 VERSION=2 /bin/sh -c make install', 'RUN make install'],
    ['', ''],
  ])('%j reads %j', (raw, line) => {
    expect(historyLine(raw)).toBe(line);
  });
});

describe('the changes of a container', () => {
  it('are told in words, and counted', () => {
    const changes = changesOf([
      { kind: 'C', path: '/etc' },
      { kind: 'A', path: '/etc/motd' },
      { kind: 'D', path: '/bin/ls' },
      { kind: 'A', path: '/a b' },
    ]);
    expect(changes).toEqual([
      { kind: 'changed', path: '/etc' },
      { kind: 'added', path: '/etc/motd' },
      { kind: 'deleted', path: '/bin/ls' },
      { kind: 'added', path: '/a b' },
    ]);
    expect(countChanges(changes)).toEqual({ added: 2, changed: 1, deleted: 1 });
  });
});

describe('a command typed for the reader', () => {
  it.each([
    [['exec', '-it', 'web', 'sh'], 'docker exec -it web sh'],
    [['pull', '127.0.0.1:5000/a@sha256:00'], 'docker pull 127.0.0.1:5000/a@sha256:00'],
    [['rm', 'a b; rm -rf /'], "docker rm 'a b; rm -rf /'"],
    [['rm', "it's"], "docker rm 'it'\\''s'"],
    [['run', '$(reboot)'], "docker run '$(reboot)'"],
    [['run', ''], "docker run ''"],
    [['rm', 'web\n'], undefined],
    [['rm', 'web\u001b[201~'], undefined],
    [['rm', 'web\u009b'], undefined],
    [['rm', '\ud800'], undefined],
  ])('%j is %j', (words, line) => {
    expect(typedCommand(...words)).toBe(line);
  });
});
