import { NoSuchImageError } from '../../errors.ts';
import {
  type FoundAttestation,
  isReadable,
  listAttestations,
  readAttestation,
} from '../../image/attestations.ts';
import { printableName } from '../../names.ts';
import type { Attestation } from '../../oci/attestation.ts';
import { formatPlatform, parsePlatform, satisfies } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import { attestationTable, buildTable, packageTable } from '../attestation-tables.ts';
import type { Command, Flag, Invocation } from '../command.ts';
import { refusal } from '../refusal.ts';

const PLATFORM_FLAG: Flag = { long: 'platform', type: 'string', help: 'Platform of image to analyze' };
const PREDICATE_FLAG: Flag = {
  long: 'predicate-type',
  type: 'string',
  help: 'Predicate-type for attestations',
};

/** `docker scout attestation list IMAGE` */
export const scoutAttestation: Command = {
  usage: 'list [OPTIONS] IMAGE',
  summary: 'List attestations for image',
  aliases: [],
  flags: [PLATFORM_FLAG, PREDICATE_FLAG],
  wordCount: { min: 2, max: 2 },
  run: async (invocation) => {
    const [action = '', image = ''] = invocation.words;
    if (action !== 'list' && action !== 'ls') {
      throw refusal(`docker: unknown command: docker scout attestation ${printableName(action)}`);
    }
    const { found, read } = await attestationsOf(invocation, image);
    const { print } = invocation;
    await print.text(attestationTable(found));
    for (const each of found.filter(isReadable)) {
      const { build } = await read(each);
      if (build !== undefined)
        await print.text(`\nBuild, told by ${each.blob.digest}:\n\n${buildTable(build)}`);
    }
    return 0;
  },
};

/** `docker scout sbom IMAGE` */
export const scoutSbom: Command = {
  usage: '[OPTIONS] IMAGE',
  summary: "Generate or display an image's SBOM",
  aliases: [],
  flags: [PLATFORM_FLAG],
  wordCount: { min: 1, max: 1 },
  run: async (invocation) => {
    const [image = ''] = invocation.words;
    const { found, read } = await attestationsOf(invocation, image);
    const { print } = invocation;
    let count = 0;
    for (const each of found.filter(isReadable)) {
      const { packages } = await read(each);
      if (packages === undefined) continue;
      const of = each.platform === undefined ? '' : ` for ${formatPlatform(each.platform)}`;
      await print.text(
        `${count > 0 ? '\n' : ''}Packages${of}, told by ${each.blob.digest}:\n\n${packageTable(packages)}`,
      );
      count += 1;
    }
    if (count === 0) throw nothing(image, 'no bill of materials');
    return 0;
  },
};

interface Attested {
  readonly found: readonly FoundAttestation[];
  read(found: FoundAttestation): Promise<Attestation>;
}

/** Those of the image in its registry, since a pull leaves them there. */
async function attestationsOf({ flags, host, stdio }: Invocation, image: string): Promise<Attested> {
  const { signal } = stdio;
  const { source, document } = await host.registries.resolve(parseReference(image), { signal });
  const platform = flags.string('platform');
  const wanted = platform === '' ? undefined : parsePlatform(platform);
  const predicate = flags.given('predicate-type') ? flags.string('predicate-type') : '';
  const found = (await listAttestations(document, source, { signal })).filter(
    (each) =>
      (wanted === undefined || (each.platform !== undefined && satisfies(each.platform, wanted))) &&
      (predicate === '' || each.predicateType === predicate),
  );
  if (found.length === 0) throw nothing(image, 'no attestations');
  return { found, read: (each) => readAttestation(each, source, { signal }) };
}

function nothing(image: string, what: string): Error {
  return new NoSuchImageError(`${printableName(image)} has ${what}`, { image });
}
