import { describe, expect, it } from 'vitest';
import {
  bindMount,
  cleanPath,
  isMode,
  specMount,
  volumesFrom,
} from '../../../src/engine/container/mount-spec.ts';
import { mergeTmpfsOptions } from '../../../src/engine/container/tmpfs-options.ts';

const spec = { type: 'volume', source: '', target: '/x', readOnly: false };

describe('a path made clean', () => {
  it.each([
    ['/a/./b//../c/', '/a/c'],
    ['/../..', '/'],
    ['a/../..', '..'],
    ['', '.'],
  ])('%j is %j', (path, clean) => expect(cleanPath(path)).toBe(clean));
});

describe('-v', () => {
  it.each([
    [
      'data:/x',
      { type: 'volume', name: 'data', destination: '/x', readOnly: false, copies: true, mode: 'z' },
    ],
    ['data:/x:ro', { type: 'volume', readOnly: true, mode: 'ro' }],
    ['data:/x:nocopy', { type: 'volume', copies: false }],
    [
      '/a/../b:/x',
      { type: 'bind', source: '/b', name: '', copies: false, mode: '', propagation: 'rprivate' },
    ],
    ['/a:/x:ro,z,rshared', { type: 'bind', readOnly: true, propagation: 'rshared', mode: 'ro,z,rshared' }],
    ['/a:/x//y/', { destination: '/x/y' }],
  ])('%s', (raw, mount) => expect(bindMount(raw, '')).toMatchObject(mount));

  it.each([
    ['a::b', 'invalid mode: b'],
    ['/x:ro', "invalid volume specification: '/x:ro'"],
    ['/a:/b:bogus', 'invalid mode: bogus'],
    ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
    ['/a:/b:nocopy', 'invalid mode: nocopy'],
    [
      'data:x',
      `invalid volume specification: 'data:x': invalid mount config for type "volume": invalid mount path: 'x' mount path must be absolute`,
    ],
    [
      '/a:/',
      `invalid volume specification: '/a:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
    ],
  ])('%s is refused: %s', (raw, words) => expect(() => bindMount(raw, '')).toThrow(words));

  it('of another driver than local is refused for a volume, not for a path', () => {
    expect(() => bindMount('data:/x', 'nfs')).toThrow('plugin "nfs" not found');
    expect(bindMount('/data:/x', 'nfs')).toMatchObject({ type: 'bind' });
  });

  it.each(['', 'ro', 'rw,Z', 'cached,ro,rslave'])('the mode %j is one', (mode) =>
    expect(isMode(mode)).toBe(true),
  );
});

describe('--mount is refused by the daemon:', () => {
  it.each([
    [
      { ...spec, target: '/' },
      `invalid mount config for type "volume": invalid specification: destination can't be '/'`,
    ],
    [
      { ...spec, target: 'x' },
      `invalid mount config for type "volume": invalid mount path: 'x' mount path must be absolute`,
    ],
    [{ ...spec, readOnly: true }, 'must not set ReadOnly mode when using anonymous volumes'],
    [{ ...spec, type: 'bind' }, 'invalid mount config for type "bind": field Source must not be empty'],
    [{ ...spec, type: 'bind', source: 'a' }, "invalid mount path: 'a' mount path must be absolute"],
    [
      { ...spec, type: 'tmpfs', source: 'a' },
      'invalid mount config for type "tmpfs": field Source must not be specified',
    ],
    [{ ...spec, type: 'foo' }, 'invalid mount config for type "foo": mount type unknown'],
    [{ ...spec, type: 'image' }, 'mounts of the type image are not yet supported by Layerbox'],
  ])('%j: %s', (mount, words) => expect(() => specMount(mount)).toThrow(words));

  it.each(['../a', '/a', 'a/../..'])('a path %s in a volume', (subpath) => {
    const volume = { noCopy: false, labels: {}, subpath, driver: '', options: {} };
    expect(() => specMount({ ...spec, volume })).toThrow('is not a local path');
  });

  it.each([
    [{ bogus: '' }, 'invalid option: "bogus"'],
    [{ type: 'nfs' }, 'missing required option: "device"'],
    [{ type: 'nfs', device: ':/d' }, 'volumes of the type nfs are not yet supported by Layerbox'],
  ])('options %j of a volume', (options, words) => {
    const volume = { noCopy: false, labels: {}, subpath: '', driver: '', options };
    expect(() => specMount({ ...spec, source: 'data', volume })).toThrow(words);
  });
});

describe('--volumes-from', () => {
  it.each([
    ['a', { container: 'a', readOnly: false }],
    ['a:ro', { container: 'a', readOnly: true }],
    ['a:rw,z', { container: 'a', readOnly: false }],
  ])('%s', (text, meant) => expect(volumesFrom(text)).toEqual(meant));

  it.each([
    ['', 'volumes-from specification cannot be an empty string'],
    ['a:foo', 'invalid mode: foo'],
    ['a:rshared', 'invalid mode: rshared'],
    ['a:nocopy', 'invalid mode: nocopy'],
  ])('%j is refused: %s', (text, words) => expect(() => volumesFrom(text)).toThrow(words));
});

describe('options of a tmpfs', () => {
  it.each([
    ['', 'noexec,nosuid,nodev'],
    ['exec,size=1m', 'nosuid,nodev,exec,size=1m'],
    ['size=1m,size=2m,ro,rw', 'noexec,nosuid,nodev,size=2m,rw'],
    ['defaults', 'noexec,nosuid,nodev'],
    ['rprivate,uid=5', 'noexec,nosuid,nodev,uid=5'],
  ])('%j are %s', (options, merged) => expect(mergeTmpfsOptions(options)).toBe(merged));

  it.each([
    ['bogus', 'invalid tmpfs option ["bogus"]'],
    ['color=red', 'invalid tmpfs option ["color" "red"]'],
    ['size', 'invalid tmpfs option ["size"]'],
  ])('%s is refused: %s', (options, words) => expect(() => mergeTmpfsOptions(options)).toThrow(words));
});
