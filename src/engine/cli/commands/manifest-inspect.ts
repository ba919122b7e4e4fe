import { LayerboxError, UsageError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { DOCKER_MANIFEST } from '../../oci/media-type.ts';
import { familiarReference, formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import type { FetchedDocument } from '../../registry/fetched-document.ts';
import type { Command, Invocation } from '../command.ts';
import { jsonOf } from '../json-text.ts';
import { documentMembers, RegistryImage } from '../registry-image.ts';

/** Where Docker's client says no more than that there is none. */
const NOT_THERE = new Set(['ManifestUnknown', 'RegistryUnreachable', 'RegistryDenied', 'RegistryResponse']);

export const manifestInspect: Command = {
  usage: '[OPTIONS] [MANIFEST_LIST] MANIFEST',
  summary: 'Display an image manifest, or manifest list',
  aliases: [],
  flags: [
    {
      long: 'verbose',
      short: 'v',
      type: 'bool',
      help: 'Output additional info including layers and platform',
    },
  ],
  later: ['insecure'],
  wordCount: { min: 1, max: 2 },
  run: async (invocation) => {
    const { words, flags, print } = invocation;
    const reference = parseReference(words.at(-1) ?? '');
    // a list by its name is a local one, which `docker manifest create` would have made
    if (words.length === 2) throw noSuch(reference, undefined);
    const image = await open(invocation, reference);
    const { index, document } = image;
    if (index === undefined) {
      if (flags.bool('verbose')) {
        const platform = platformOf(await image.config(document));
        const entry = verbose(formatReference(reference), { ...document.descriptor, ...platform }, document);
        await print.line(jsonOf(entry, '\t'));
      } else await print.line(verbatim(document.bytes));
      return 0;
    }
    if (!flags.bool('verbose')) {
      const manifests = index.manifests.map(({ mediaType, size, digest, platform }) => ({
        mediaType,
        size,
        digest,
        ...(platform !== undefined && { platform: platformMembers(platform) }),
      }));
      const list = { schemaVersion: 2, mediaType: index.mediaType, manifests };
      await print.line(jsonOf(list, 3));
      return 0;
    }
    const entries: unknown[] = [];
    for (const entry of index.manifests) {
      const name = `${formatReference(reference)}@${entry.digest}`;
      entries.push(verbose(name, entry, await image.manifest(entry)));
    }
    await print.line(jsonOf(entries, '\t'));
    return 0;
  },
};

async function open({ host, stdio }: Invocation, reference: Reference): Promise<RegistryImage> {
  try {
    return await RegistryImage.open(host, reference, stdio.signal);
  } catch (error) {
    if (error instanceof LayerboxError && NOT_THERE.has(error.code)) throw noSuch(reference, error);
    throw error;
  }
}

function noSuch(reference: Reference, cause: LayerboxError | undefined): Error {
  // what a registry does not let a page read is worth more words than Docker's
  const more = cause === undefined || cause.code === 'ManifestUnknown' ? '' : `: ${cause.message}`;
  return new UsageError(
    `no such manifest: ${familiarReference(reference)}${more}`,
    { exitCode: 1, plain: true },
    { cause },
  );
}

interface ShownPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly osVersion?: string;
  readonly variant?: string;
}

function platformMembers({ architecture, os, osVersion, variant }: ShownPlatform) {
  return {
    architecture,
    os,
    ...(osVersion !== undefined && { 'os.version': osVersion }),
    ...(variant !== undefined && { variant }),
  };
}

function platformOf({ architecture, os, variant }: Readonly<Record<string, unknown>>) {
  if (typeof architecture !== 'string' || typeof os !== 'string') return {};
  return { platform: { architecture, os, ...(typeof variant === 'string' && { variant }) } };
}

function verbose(name: string, { mediaType, digest, size, platform }: Descriptor, document: FetchedDocument) {
  const kind = mediaType === DOCKER_MANIFEST ? 'SchemaV2Manifest' : 'OCIManifest';
  let binary = '';
  for (const byte of document.bytes) binary += String.fromCharCode(byte);
  return {
    Ref: name,
    Descriptor: {
      mediaType,
      digest,
      size,
      ...(platform !== undefined && { platform: platformMembers(platform) }),
    },
    Raw: btoa(binary),
    [kind]: documentMembers(document),
  };
}

/** Indented anew, with the white space at its end, as Go's json.Indent leaves it. */
function verbatim(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  return `${jsonOf(JSON.parse(text), '\t')}${/\s*$/.exec(text)?.[0] ?? ''}`;
}
