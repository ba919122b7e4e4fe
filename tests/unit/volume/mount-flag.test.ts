/** What `--mount` says; the words of refusals were recorded from docker 28.2.2. */

import { describe, expect, it } from 'vitest';
import { commaFields } from '../../../src/engine/cli/comma-fields.ts';
import { mountFault, parseMount } from '../../../src/engine/cli/mount-flag.ts';

describe('--mount is refused with', () => {
  it.each([
    ['', 'EOF'],
    ['type=bind', 'target is required'],
    ['foo', "invalid field 'foo' must be a key=value pair"],
    ['type=bind,bogus=1', "unexpected key 'bogus' in 'bogus=1'"],
    ['type=bind,bind-create-src=x', "unexpected key 'bind-create-src' in 'bind-create-src=x'"],
    ['type=bind,toString=1', "unexpected key 'tostring' in 'toString=1'"],
    ['type=volume,readonly=maybe', 'invalid value for readonly: maybe'],
    ['type=tmpfs,tmpfs-size=abc', 'invalid value for tmpfs-size: abc'],
    ['type=tmpfs,tmpfs-mode=99', 'invalid value for tmpfs-mode: 99'],
    ['type=volume,volume-nocopy=x', 'invalid value for volume-nocopy: x'],
    ['type=bind,bind-nonrecursive=x', 'invalid value for bind-nonrecursive: x'],
    [
      'type=bind,bind-recursive=x',
      'invalid value for bind-recursive: x (must be "enabled", "disabled", "writable", or "readonly")',
    ],
    [
      'type=bind,bind-recursive=readonly,src=/a,dst=/b',
      "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction",
    ],
    [
      'type=bind,bind-recursive=readonly,readonly,src=/a,dst=/b',
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    ],
    ['type=image,volume-nocopy,dst=/x', "cannot mix 'volume-*' options with mount type 'image'"],
    ['type=tmpfs,bind-propagation=x,dst=/x', "cannot mix 'bind-*' options with mount type 'tmpfs'"],
    ['tmpfs-size=1,dst=/x', "cannot mix 'tmpfs-*' options with mount type 'volume'"],
    ['type=,dst=/x', 'type is required'],
    ['readonly', 'target is required'],
    ['a"b', 'parse error on line 1, column 2: bare " in non-quoted-field'],
  ])('%j: %s', (text, words) => {
    expect(mountFault(text)).toBe(words);
  });
});

describe('--mount', () => {
  it('is a volume when it does not say', () => {
    expect(parseMount('dst=/x', '/')).toEqual({ type: 'volume', source: '', target: '/x', readOnly: false });
  });

  it.each(['source=a,target=/x', 'src=a,dst=/x', 'SRC=a,destination=/x'])('%s names its ends', (text) => {
    expect(parseMount(text, '/')).toMatchObject({ source: 'a', target: '/x' });
  });

  it.each([
    ['.', '/home/.'],
    ['./a', '/home/./a'],
    ['..', '..'],
    ['a', 'a'],
    ['/a', '/a'],
  ])('takes the source %s from where the client is: %s', (source, absolute) => {
    expect(parseMount(`type=bind,src=${source},dst=/x`, '/home')).toMatchObject({ source: absolute });
  });

  it.each([
    ['ro', true],
    ['readonly', true],
    ['readonly=1', true],
    ['readonly=false', false],
  ])('%s: read-only is %s', (option, readOnly) => {
    expect(parseMount(`dst=/x,${option}`, '/')).toMatchObject({ readOnly });
  });

  it('takes the options of a volume', () => {
    const text =
      'src=v,dst=/x,volume-nocopy,volume-label=a=b,volume-label=c,volume-subpath=s,volume-driver=local,volume-opt=o=x=y';
    expect(parseMount(text, '/')).toMatchObject({
      volume: {
        noCopy: true,
        labels: { a: 'b', c: '' },
        subpath: 's',
        driver: 'local',
        options: { o: 'x=y' },
      },
    });
  });

  it('takes the options of a bind', () => {
    expect(
      parseMount('type=bind,src=/a,dst=/b,bind-propagation=RShared,bind-nonrecursive', '/'),
    ).toMatchObject({
      bind: { propagation: 'rshared', nonRecursive: true },
    });
    expect(parseMount('type=bind,src=/a,dst=/b,bind-recursive=disabled', '/')).toMatchObject({
      bind: { nonRecursive: true, readOnlyNonRecursive: false },
    });
    expect(parseMount('type=bind,src=/a,dst=/b,bind-recursive=writable', '/')).toMatchObject({
      bind: { nonRecursive: false, readOnlyNonRecursive: true },
    });
  });

  it('takes the options of a tmpfs', () => {
    expect(parseMount('type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=1770', '/')).toMatchObject({
      tmpfs: { sizeBytes: 1 << 20, mode: 0o1770 },
    });
  });
});

describe('comma-separated fields', () => {
  it.each([
    ['a,b', ['a', 'b']],
    ['a,', ['a', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a""b"', ['a"b']],
    ['"a"b', 'parse error on line 1, column 4: extraneous or missing " in quoted-field'],
    ['"a', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
  ])('%s', (line, fields) => {
    expect(commaFields(line)).toEqual(fields);
  });
});
