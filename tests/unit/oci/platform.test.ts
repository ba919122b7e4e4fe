import { describe, expect, it } from 'vitest';
import { InvalidPlatformError, NoMatchingPlatformError } from '../../../src/engine/errors.ts';
import type { Descriptor, Platform } from '../../../src/engine/oci/descriptor.ts';
import { OCI_MANIFEST } from '../../../src/engine/oci/media-type.ts';
import {
  chooseManifest,
  formatPlatform,
  isRunnable,
  parsePlatform,
  satisfies,
} from '../../../src/engine/oci/platform.ts';

describe('a platform in words', () => {
  it.each([
    ['linux/386', 'linux/386'],
    ['linux/i386', 'linux/386'],
    ['i386', 'linux/386'],
    ['linux', 'linux/386'],
    ['amd64', 'linux/amd64'],
    ['x86_64', 'linux/amd64'],
    ['linux/x86-64', 'linux/amd64'],
    ['LINUX/AMD64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['arm', 'linux/arm/v7'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['armhf', 'linux/arm/v7'],
    ['armel', 'linux/arm/v6'],
    ['macos/arm64', 'darwin/arm64'],
    ['windows', 'windows/386'],
    ['linux/riscv64', 'linux/riscv64'],
  ])('%s is %s', (text, formatted) => {
    expect(formatPlatform(parsePlatform(text))).toBe(formatted);
  });

  it.each(['', 'nothing', 'linux/', '/386', 'linux/a/b/c', 'linux/*', 'lin ux/386', 'linux/386\n'])(
    'refuses %j',
    (text) => {
      expect(() => parsePlatform(text)).toThrow(InvalidPlatformError);
    },
  );

  it.each([
    ['linux/386', 'linux/386', true],
    ['linux/arm/v6', 'linux/arm/v7', true],
    ['linux/arm/v7', 'linux/arm/v6', false],
    ['linux/amd64', 'linux/amd64/v3', true],
    ['linux/amd64/v3', 'linux/amd64', false],
    ['linux/386', 'linux/amd64', false],
    ['windows/amd64', 'linux/amd64', false],
  ])('%s satisfies %s: %s', (offered, wanted, claim) => {
    expect(satisfies(parsePlatform(offered), parsePlatform(wanted))).toBe(claim);
  });

  it('runs linux/386 and nothing else', () => {
    expect(
      ['linux/386', 'linux/i386', 'linux/amd64', 'windows/386'].map((t) => isRunnable(parsePlatform(t))),
    ).toEqual([true, true, false, false]);
  });
});

describe('the manifest chosen from an index', () => {
  const entry = (platform: string | undefined, more: Partial<Descriptor> = {}): Descriptor => ({
    mediaType: OCI_MANIFEST,
    digest: `sha256:${Buffer.from(platform ?? 'none')
      .toString('hex')
      .padEnd(64, '0')
      .slice(0, 64)}`,
    size: 1,
    ...(platform !== undefined && { platform: literal(platform) }),
    ...more,
  });
  // as it stands in an index, not normalised
  const literal = (text: string): Platform => {
    const [os = '', architecture = '', variant] = text.split('/');
    return { os, architecture, ...(variant !== undefined && { variant }) };
  };
  const attestation = entry('linux/386', {
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  });

  it.each<[string, (string | undefined)[], string | undefined, string | undefined]>([
    [
      'the machine’s own, wherever it stands',
      ['linux/amd64', 'linux/arm64', 'linux/386'],
      undefined,
      'linux/386',
    ],
    ['amd64 when there is no 386', ['linux/arm64', 'linux/s390x', 'linux/amd64'], undefined, 'linux/amd64'],
    ['plain amd64 before a variant', ['linux/amd64/v3', 'linux/amd64'], undefined, 'linux/amd64'],
    ['arm64 when there is no amd64', ['linux/s390x', 'linux/arm64/v8'], undefined, 'linux/arm64/v8'],
    ['any linux before none', ['windows/amd64', 'linux/s390x'], undefined, 'linux/s390x'],
    ['one without a platform last', [undefined, 'linux/s390x'], undefined, 'linux/s390x'],
    ['one without a platform', [undefined], undefined, undefined],
    ['what was asked for', ['linux/386', 'linux/arm64'], 'linux/arm64', 'linux/arm64'],
    [
      'the nearest older arm',
      ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'],
      'linux/arm/v7',
      'linux/arm/v6',
    ],
    ['other spellings', ['linux/i386', 'linux/aarch64'], 'linux/arm64', 'linux/aarch64'],
  ])('is %s', (_, offered, wanted, chosen) => {
    const manifests = [attestation, entry('unknown/unknown'), ...offered.map((text) => entry(text))];
    const found = chooseManifest(manifests, wanted === undefined ? undefined : parsePlatform(wanted));
    expect(found).toEqual(entry(chosen));
  });

  it.each<[string[], string | undefined, string]>([
    [
      ['linux/386'],
      'linux/arm64',
      'no matching manifest for linux/arm64 in the manifest list entries: it has linux/386',
    ],
    [
      ['windows/amd64'],
      undefined,
      'no matching manifest for linux/386 in the manifest list entries: it has windows/amd64',
    ],
    [
      ['linux/386'],
      'linux/amd64',
      'no matching manifest for linux/amd64 in the manifest list entries: it has linux/386',
    ],
  ])('none of %j for %s', (offered, wanted, message) => {
    const manifests = [attestation, ...offered.map((text) => entry(text))];
    const choose = () => chooseManifest(manifests, wanted === undefined ? undefined : parsePlatform(wanted));
    expect(choose).toThrow(NoMatchingPlatformError);
    expect(choose).toThrow(message);
  });

  it('an attestation alone is no match', () => {
    expect(() => chooseManifest([attestation, entry('unknown/unknown')])).toThrow(NoMatchingPlatformError);
  });
});
