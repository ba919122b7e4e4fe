import { describe, expect, it } from 'vitest';
import { InvalidReferenceError } from '../../../src/engine/errors.ts';
import {
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
} from '../../../src/engine/oci/reference.ts';

const hex = 'a'.repeat(64);
const sha256 = `sha256:${hex}` as const;
const sha512 = `sha512:${'b'.repeat(128)}` as const;

describe('a reference as Docker reads it', () => {
  it.each([
    // text, registry, repository, tag, digest
    ['busybox', 'docker.io', 'library/busybox', 'latest', undefined],
    ['busybox:1.36', 'docker.io', 'library/busybox', '1.36', undefined],
    ['library/busybox', 'docker.io', 'library/busybox', 'latest', undefined],
    ['grafana/loki:v2', 'docker.io', 'grafana/loki', 'v2', undefined],
    ['docker.io/busybox', 'docker.io', 'library/busybox', 'latest', undefined],
    ['index.docker.io/busybox', 'docker.io', 'library/busybox', 'latest', undefined],
    ['index.docker.io/a/b', 'docker.io', 'a/b', 'latest', undefined],
    ['ghcr.io/org/team/app', 'ghcr.io', 'org/team/app', 'latest', undefined],
    ['localhost/app', 'localhost', 'app', 'latest', undefined],
    ['localhost:5000', 'docker.io', 'library/localhost', '5000', undefined],
    ['localhost:5000/app', 'localhost:5000', 'app', 'latest', undefined],
    ['localhost:5000/app:1', 'localhost:5000', 'app', '1', undefined],
    ['registry:5000/app', 'registry:5000', 'app', 'latest', undefined],
    ['127.0.0.1:5000/a/b:c', '127.0.0.1:5000', 'a/b', 'c', undefined],
    ['[::1]:5000/app', '[::1]:5000', 'app', 'latest', undefined],
    ['[::1]/app', '[::1]', 'app', 'latest', undefined],
    ['Upper/app', 'Upper', 'app', 'latest', undefined],
    [`busybox@${sha256}`, 'docker.io', 'library/busybox', undefined, sha256],
    [`busybox:1.36@${sha256}`, 'docker.io', 'library/busybox', '1.36', sha256],
    [`a.b/c@${sha512}`, 'a.b', 'c', undefined, sha512],
    ['a__b/c--d/e.f_g', 'docker.io', 'a__b/c--d/e.f_g', 'latest', undefined],
    [`x:${'T'.repeat(128)}`, 'docker.io', 'library/x', 'T'.repeat(128), undefined],
    ['x:_', 'docker.io', 'library/x', '_', undefined],
    [`a.b/${'c'.repeat(255)}`, 'a.b', 'c'.repeat(255), 'latest', undefined],
    [`${'a'.repeat(63)}`, 'docker.io', `library/${'a'.repeat(63)}`, 'latest', undefined],
  ])('%s', (text, registry, repository, tag, digest) => {
    expect(parseReference(text)).toEqual({
      registry,
      repository,
      ...(tag !== undefined && { tag }),
      ...(digest !== undefined && { digest }),
    });
  });

  it.each([
    ['Foo', 'invalid reference format: repository name (library/Foo) must be lowercase'],
    ['foo/Bar:tag', 'invalid reference format: repository name (foo/Bar) must be lowercase'],
    ['Upper/Foo', 'invalid reference format: repository name (Foo) must be lowercase'],
    [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
    ['', 'invalid reference format'],
    [':tag', 'invalid reference format'],
    ['a:', 'invalid reference format'],
    ['a:-tag', 'invalid reference format'],
    [`a:${'T'.repeat(129)}`, 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['/a', 'invalid reference format'],
    ['a/', 'invalid reference format'],
    ['a___b', 'invalid reference format'],
    ['a..b', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['a-', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    ['a\n', 'invalid reference format'],
    ['-x.y/a', 'invalid reference format'],
    ['x.y:port/a', 'invalid reference format'],
    ['[::1/a', 'invalid reference format'],
    ['a@sha256:abc', 'invalid reference format'],
    ['a@b@c', 'invalid reference format'],
    [`a@sha256:${'a'.repeat(63)}`, 'invalid checksum digest length'],
    [`a@sha256:${'A'.repeat(64)}`, 'invalid checksum digest format'],
    [`a@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
    [`a.b/${'c'.repeat(256)}`, 'repository name must not be more than 255 characters'],
  ])('refuses %j in Docker’s words', (text, message) => {
    expect(() => parseReference(text)).toThrow(new InvalidReferenceError(message, { reference: text }));
  });

  it('answers a long hostile name at once', () => {
    const start = performance.now();
    expect(() => parseReference(`${'a-'.repeat(50_000)}!`)).toThrow('invalid reference format');
    expect(() => parseReference(`${'a.'.repeat(50_000)}!/b`)).toThrow('invalid reference format');
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('a reference as Docker shows it', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox:latest', 'busybox', 'busybox:latest'],
    ['a/b:c', 'docker.io/a/b:c', 'a/b', 'a/b:c'],
    ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b', 'library/a/b:latest'],
    ['ghcr.io/library/a', 'ghcr.io/library/a:latest', 'ghcr.io/library/a', 'ghcr.io/library/a:latest'],
    [`a:1@${sha256}`, `docker.io/library/a@${sha256}`, 'a', `a@${sha256}`],
  ])('%s', (text, full, name, familiar) => {
    const reference = parseReference(text);
    expect([formatReference(reference), familiarName(reference), familiarReference(reference)]).toEqual([
      full,
      name,
      familiar,
    ]);
  });
});
