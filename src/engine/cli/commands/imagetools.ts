import { NotYetError, UsageError } from '../../errors.ts';
import type { FoundAttestation } from '../../image/attestations.ts';
import { encodeName, printableName } from '../../names.ts';
import { PROVENANCE, SPDX } from '../../oci/attestation.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference, fullName, parseReference, type Reference } from '../../oci/reference.ts';
import type { Command } from '../command.ts';
import { list, map, pointer, struct, typedValue } from '../go-types.ts';
import { refusal } from '../refusal.ts';
import { documentMembers, RegistryImage } from '../registry-image.ts';
import { parseTemplate } from '../template.ts';

export const imagetools: Command = {
  usage: 'inspect [OPTIONS] NAME',
  summary: 'Commands to work on images in registry',
  aliases: ['docker buildx imagetools'],
  flags: [
    {
      long: 'format',
      type: 'string',
      default: '{{.Manifest}}',
      help: 'Format the output using the given Go template',
    },
    { long: 'raw', type: 'bool', help: 'Show original, unformatted JSON manifest' },
  ],
  later: ['builder='],
  wordCount: { min: 1, max: 2 },
  run: async (invocation) => {
    const { words, flags, host, stdio, print } = invocation;
    const [verb = '', name] = words;
    if (verb === 'create')
      throw new NotYetError("'buildx imagetools create' is not yet supported by Layerbox");
    if (verb !== 'inspect') {
      throw refusal(`docker: unknown command: docker buildx imagetools ${printableName(verb)}`);
    }
    if (name === undefined) {
      throw new UsageError("docker: 'docker buildx imagetools inspect' requires 1 argument", {
        exitCode: 1,
      });
    }
    const given = flags.given('format');
    if (given && flags.bool('raw')) {
      throw refusal('format and raw cannot be used together');
    }
    const template = given ? parseTemplate(flags.string('format')) : undefined;
    const reference = parseReference(name);
    const image = await RegistryImage.open(host, reference, stdio.signal);
    if (flags.bool('raw')) {
      await stdio.write('out', image.document.bytes);
      return 0;
    }
    if (template === undefined) {
      await print.text(listing(image, reference));
      return 0;
    }
    await stdio.write('out', encodeName(`${template.render(await shownOf(image, reference))}\n`));
    return 0;
  },
};

const DESCRIPTOR = struct('v1.Descriptor', {
  'MediaType=mediaType': '',
  'Digest=digest': '',
  'Size=size': 0,
  'Annotations=annotations': map(),
  'Platform=platform': pointer(
    struct('v1.Platform', { 'Architecture=architecture': '', 'OS=os': '', 'Variant=variant': '' }),
  ),
});

const MANIFEST = struct('tools.Manifest', {
  'SchemaVersion=schemaVersion': 0,
  'MediaType=mediaType': '',
  'Digest=digest': '',
  'Size=size': 0,
  'Config=config': DESCRIPTOR,
  'Layers=layers': list(DESCRIPTOR),
  'Manifests=manifests': list(DESCRIPTOR),
  'Annotations=annotations': map(),
});

const IMAGE = struct('v1.Image', {
  'Created=created': '',
  'Author=author': '',
  'Architecture=architecture': '',
  'OS=os': '',
  'Variant=variant': '',
  'Config=config': struct('v1.ImageConfig', {
    User: '',
    Env: list(),
    Entrypoint: list(),
    Cmd: list(),
    WorkingDir: '',
    Labels: map(),
  }),
});

/** As buildx lays it out: each block aligned by itself. */
function listing({ document, index }: RegistryImage, reference: Reference): string {
  const { mediaType, digest } = document.descriptor;
  const blank = (width: number) => ' '.repeat(width);
  let text = `Name:      ${formatReference(reference)}\nMediaType: ${mediaType}\nDigest:    ${digest}\n`;
  if (index === undefined) return text;
  text += `${blank(11)}\nManifests: \n`;
  const blocks = index.manifests.map((entry) => {
    const lines = [
      `  Name:      ${fullName(reference)}${reference.tag === undefined ? '' : `:${reference.tag}`}@${entry.digest}`,
      `  MediaType: ${printableName(entry.mediaType)}`,
    ];
    if (entry.platform !== undefined) lines.push(`  Platform:  ${formatPlatform(entry.platform)}`);
    const annotations = Object.entries(entry.annotations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    if (annotations.length > 0) {
      const width = Math.max(...annotations.map(([key]) => printableName(key).length)) + 2;
      lines.push('  Annotations: ');
      for (const [key, value] of annotations) {
        lines.push(`    ${`${printableName(key)}:`.padEnd(width)}${printableName(value)}`);
      }
    }
    return lines.map((line) => `${line}\n`).join('');
  });
  return text + blocks.join(`${blank(13)}\n`);
}

/** `.Name`, `.Manifest`, `.Image`, `.SBOM`, `.Provenance`, as buildx has them: of several platforms by platform. */
async function shownOf(image: RegistryImage, reference: Reference): Promise<unknown> {
  const { document } = image;
  const { mediaType, digest, size } = document.descriptor;
  const images = await image.images();
  const configs: [string, unknown][] = [];
  const boms: [string, unknown][] = [];
  const provenances: [string, unknown][] = [];
  const attestations = await image.attestations();
  for (const [platform, manifest] of images) {
    configs.push([platform, typedValue(await image.config(manifest), IMAGE)]);
    const ofImage = attestations.filter(({ subject }) => subject === manifest.descriptor.digest);
    const bom = ofImage.find(isOfType(SPDX));
    const provenance = ofImage.find(isOfType(PROVENANCE));
    if (bom !== undefined) boms.push([platform, { SPDX: await image.predicate(bom) }]);
    if (provenance !== undefined) provenances.push([platform, { SLSA: await image.predicate(provenance) }]);
  }
  const only = (entries: readonly (readonly [string, unknown])[]) =>
    images.size === 1 ? (entries[0]?.[1] ?? {}) : Object.fromEntries(entries);
  return {
    Name: formatReference(reference),
    Manifest: typedValue({ ...documentMembers(document), mediaType, digest, size }, MANIFEST),
    Image: only(configs),
    SBOM: only(boms),
    Provenance: only(provenances),
  };
}

const isOfType =
  (type: string) =>
  ({ predicateType }: FoundAttestation) =>
    predicateType.startsWith(type);
