/** Attestations as tables: which there are, the packages of bills of materials, the facts of builds. */

import type { FoundAttestation } from '../image/attestations.ts';
import { printableName } from '../names.ts';
import type { BuildFacts, SoftwarePackage } from '../oci/attestation.ts';
import { formatPlatform } from '../oci/platform.ts';
import { formatSize } from './format.ts';
import { renderTable } from './table.ts';

/** One line for each, with the digest of the manifest and that of the document. */
export function attestationTable(found: readonly FoundAttestation[]): string {
  const rows = found.map((each) => [
    each.predicateType === '' ? each.blob.mediaType : each.predicateType,
    each.platform === undefined ? '' : formatPlatform(each.platform),
    each.from,
    each.manifest,
    each.blob.digest,
    formatSize(each.blob.size),
  ]);
  return table(['PREDICATE TYPE', 'PLATFORM', 'FROM', 'MANIFEST', 'DIGEST', 'SIZE'], rows);
}

/** By name and version. */
export function packageTable(packages: readonly SoftwarePackage[]): string {
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = [...packages].sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
  return table(
    ['NAME', 'VERSION', 'TYPE', 'LICENSE'],
    sorted.map(({ name, version, type, license }) => [name, version, type, license]),
  );
}

/** What is known of a build, then what it was made from. */
export function buildTable(build: BuildFacts): string {
  const facts: readonly (readonly [string, string])[] = [
    ['Builder', build.builder],
    ['Build type', build.buildType],
    ['Source', build.source],
    ['Started', build.startedOn],
    ['Finished', build.finishedOn],
    ['Invocation', build.invocationID],
    ...build.parameters.map(({ name, value }) => [`Parameter ${name}`, value] as const),
  ];
  const known = table(
    ['FACT', 'VALUE'],
    facts.filter(([, value]) => value !== ''),
  );
  const materials = build.materials.map(({ uri, digest }) => [uri, digest]);
  return materials.length === 0 ? known : `${known}\n${table(['MATERIAL', 'DIGEST'], materials)}`;
}

function table(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  return renderTable([headers, ...rows.map((row) => row.map(printableName))]);
}
