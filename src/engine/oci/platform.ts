/** Platforms: parsed and normalised as containerd does, and the choice among an index's manifests. */

import { InvalidPlatformError, NoMatchingPlatformError } from '../errors.ts';
import type { Descriptor, Platform } from './descriptor.ts';

/** What the machine runs; everything else can only be walked. */
export const MACHINE_PLATFORM: Platform = { os: 'linux', architecture: '386' };

const OPERATING_SYSTEMS = new Set(
  'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows'.split(
    ' ',
  ),
);
const ARCHITECTURES = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(' '),
);

/**
 * The platform that `os/arch[/variant]`, or one of `os` and `arch` alone,
 * means; what is left out is the machine's own. InvalidPlatformError in
 * containerd's words.
 */
export function parsePlatform(text: string): Platform {
  if (text.includes('*')) throw invalid(text, `${quote(text)}: wildcards not yet supported`);
  const parts = text.split('/');
  for (const part of parts) {
    if (!/^[A-Za-z0-9_.-]+$/.test(part)) {
      throw invalid(
        text,
        `${quote(part)} is an invalid component of ${quote(text)}: write os/arch[/variant]`,
      );
    }
  }
  const [first = '', second, third] = parts;
  if (parts.length > 3) {
    throw invalid(text, `${quote(text)}: cannot parse platform specifier: write os/arch[/variant]`);
  }
  if (second !== undefined) {
    return normalizePlatform({
      os: first,
      architecture: second,
      ...(third !== undefined && { variant: third }),
    });
  }
  const asSystem = normalizePlatform({ os: first, architecture: MACHINE_PLATFORM.architecture });
  if (OPERATING_SYSTEMS.has(asSystem.os)) return asSystem;
  const asArchitecture = normalizePlatform({ os: MACHINE_PLATFORM.os, architecture: first });
  if (ARCHITECTURES.has(asArchitecture.architecture)) return asArchitecture;
  throw invalid(text, `${quote(text)}: unknown operating system or architecture`);
}

/** One spelling for each platform: i386 is 386, x86_64 amd64, aarch64 and arm64/v8 arm64, armhf arm/v7, arm arm/v7. */
export function normalizePlatform(platform: Platform): Platform {
  let os = platform.os.toLowerCase();
  let architecture = platform.architecture.toLowerCase();
  let variant = platform.variant?.toLowerCase() ?? '';
  if (os === 'macos') os = 'darwin';
  switch (architecture) {
    case 'i386':
      architecture = '386';
      variant = '';
      break;
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      architecture = 'amd64';
      if (variant === 'v1') variant = '';
      break;
    case 'aarch64':
    case 'arm64':
      architecture = 'arm64';
      if (variant === '8' || variant === 'v8') variant = '';
      break;
    case 'armhf':
      architecture = 'arm';
      variant = 'v7';
      break;
    case 'armel':
      architecture = 'arm';
      variant = 'v6';
      break;
    case 'arm':
      if (variant === '') variant = 'v7';
      else if (/^[5-8]$/.test(variant)) variant = `v${variant}`;
      break;
  }
  return {
    os,
    architecture,
    ...(variant !== '' && { variant }),
    ...(platform.osVersion !== undefined && { osVersion: platform.osVersion }),
  };
}

/** `linux/386`, `linux/arm/v6`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** True when programs of this platform run on the machine. */
export function isRunnable(platform: Platform): boolean {
  const { os, architecture } = normalizePlatform(platform);
  return os === MACHINE_PLATFORM.os && architecture === MACHINE_PLATFORM.architecture;
}

/** True when an image of platform `offered` is what was asked for with `wanted`; an arm runs what older arms do. */
export function satisfies(offered: Platform, wanted: Platform): boolean {
  const a = normalizePlatform(offered);
  const b = normalizePlatform(wanted);
  if (a.os !== b.os || a.architecture !== b.architecture) return false;
  if (a.variant === b.variant) return true;
  return variantNumber(a) <= variantNumber(b);
}

/** arm/v6 is 6, amd64/v3 is 3, amd64 is 1, arm64 8; NaN for a variant that is no number. */
function variantNumber(platform: Platform): number {
  if (platform.variant === undefined) return platform.architecture === 'arm64' ? 8 : 1;
  return Number(/^v([0-9]+)/.exec(platform.variant)?.[1] ?? Number.NaN);
}

/**
 * The manifest of an index to pull. With `wanted` the closest that satisfies
 * it; else linux/386, and when there is none what can be walked: linux/amd64,
 * linux/arm64, any other linux, then entries that name no platform.
 * Attestations and `unknown/unknown` are never chosen. NoMatchingPlatformError
 * in Docker's words.
 */
export function chooseManifest(manifests: readonly Descriptor[], wanted?: Platform): Descriptor {
  const ranked = manifests
    .filter((entry) => !isAttestation(entry))
    .map((entry) => ({ entry, rank: wanted === undefined ? preference(entry) : closeness(entry, wanted) }))
    .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.rank - b.rank);
  const best = ranked[0];
  if (best !== undefined) return best.entry;
  const missing = formatPlatform(wanted ?? MACHINE_PLATFORM);
  const offered = manifests.flatMap((entry) =>
    entry.platform === undefined || isAttestation(entry) ? [] : [formatPlatform(entry.platform)],
  );
  throw new NoMatchingPlatformError(
    `no matching manifest for ${missing} in the manifest list entries${offered.length === 0 ? '' : `: it has ${offered.slice(0, 20).join(', ')}`}`,
    { wanted: missing, offered },
  );
}

/** True for an entry that is no image: image-spec leaves attestations to annotations; BuildKit marks them so. */
export function isAttestation(entry: Descriptor): boolean {
  if (entry.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest') return true;
  return entry.platform?.os === 'unknown' || entry.platform?.architecture === 'unknown';
}

const WALKED_FIRST = ['386', 'amd64', 'arm64'];

function preference(entry: Descriptor): number {
  if (entry.platform === undefined) return 1000;
  const platform = normalizePlatform(entry.platform);
  if (platform.os !== 'linux') return Number.POSITIVE_INFINITY;
  const place = WALKED_FIRST.indexOf(platform.architecture);
  return (place === -1 ? 50 : place * 10) + (platform.variant === undefined ? 0 : 1);
}

function closeness(entry: Descriptor, wanted: Platform): number {
  if (entry.platform === undefined) return 1000;
  if (!satisfies(entry.platform, wanted)) return Number.POSITIVE_INFINITY;
  const offered = normalizePlatform(entry.platform);
  const asked = normalizePlatform(wanted);
  return offered.variant === asked.variant ? 0 : variantNumber(asked) - variantNumber(offered);
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function invalid(text: string, message: string): Error {
  return new InvalidPlatformError(message, { platform: text });
}
