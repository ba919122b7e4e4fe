/**
 * What is said of an image beside it: in-toto statements (in-toto/attestation, spec/v1/statement.md) as BuildKit and cosign
 * attach them, SPDX documents and CycloneDX bills of materials, SLSA provenance (slsa.dev/spec, v0.2 and v1).
 */

import { InvalidDocumentError } from '../errors.ts';
import { CONFIG_LIMIT, type Field, parseDocument } from './document.ts';

/** Bytes that an attestation may have: what a source gives whole. */
export const ATTESTATION_LIMIT = CONFIG_LIMIT;
/** Envelopes in envelopes end somewhere. */
const ENVELOPES = 4;

/** What is said, and of what, before it is understood. */
export interface Statement {
  /** A URI: `https://spdx.dev/Document`, `https://slsa.dev/provenance/v1`. */
  readonly predicateType: string;
  /** What it is said of, as the statement itself has it; empty for a document that is no statement. */
  readonly subjects: readonly { readonly name: string; readonly digests: Readonly<Record<string, string>> }[];
  /** As it stands there; a document that is no statement is its own. Undefined: the statement has none. */
  readonly predicate: Field | undefined;
}

export interface Attestation extends Pick<Statement, 'predicateType' | 'subjects'> {
  /** Undefined: it is no bill of materials. */
  readonly packages?: readonly SoftwarePackage[];
  /** Undefined: it tells of no build. */
  readonly build?: BuildFacts;
}

export interface SoftwarePackage {
  readonly name: string;
  readonly version: string;
  /** As its package URL has it: `deb`, `apk`, `npm`; '' when it has none. */
  readonly type: string;
  readonly license: string;
  /** `pkg:apk/alpine/musl@1.2.4`; '' when it has none. */
  readonly purl: string;
}

export interface BuildFacts {
  readonly builder: string;
  readonly buildType: string;
  /** Where the recipe came from: a repository, a file; '' when it does not say. */
  readonly source: string;
  /** As RFC 3339 has it; '' when it does not say. */
  readonly startedOn: string;
  readonly finishedOn: string;
  readonly invocationID: string;
  /** What the build was told, as text. */
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
  /** What it was made from. */
  readonly materials: readonly { readonly uri: string; readonly digest: string }[];
}

export const SPDX = 'https://spdx.dev/Document';
export const CYCLONEDX = 'https://cyclonedx.org/bom';
export const PROVENANCE = 'https://slsa.dev/provenance/';

/** What the document says, as `parseStatement` reads it. InvalidDocumentError naming the field. */
export function parseAttestation(bytes: Uint8Array, what: string): Attestation {
  const { predicateType, subjects, predicate } = parseStatement(bytes, what);
  return { predicateType, subjects, ...(predicate !== undefined && said(predicateType, predicate)) };
}

/**
 * An in-toto statement, bare or in a DSSE envelope or a Sigstore bundle, an SPDX document, or a CycloneDX bill of
 * materials. InvalidDocumentError naming the field.
 */
export function parseStatement(bytes: Uint8Array, what: string, depth = ENVELOPES): Statement {
  const root = parseDocument(bytes, what, ATTESTATION_LIMIT);
  const bundled = root.optional('dsseEnvelope');
  const envelope = bundled ?? (root.has('payloadType') ? root : undefined);
  if (envelope !== undefined) {
    if (depth === 0) root.fail('has envelopes within envelopes');
    return parseStatement(payloadOf(envelope), what, depth - 1);
  }
  if (root.has('spdxVersion')) return { predicateType: SPDX, subjects: [], predicate: root };
  if (root.optional('bomFormat')?.string() === 'CycloneDX') {
    return { predicateType: CYCLONEDX, subjects: [], predicate: root };
  }
  const type = root.required('_type').string();
  if (!type.startsWith('https://in-toto.io/Statement/'))
    root.required('_type').fail('must be an in-toto statement');
  return {
    predicateType: root.required('predicateType').string(),
    subjects: (root.optional('subject')?.list() ?? []).map((subject) => ({
      name: subject.optional('name')?.string() ?? '',
      digests: subject.optional('digest')?.stringMap() ?? {},
    })),
    predicate: root.optional('predicate'),
  };
}

/** DSSE (secure-systems-lab/dsse, envelope.md): the payload is in base64. */
function payloadOf(envelope: Field): Uint8Array<ArrayBuffer> {
  const payload = envelope.required('payload');
  const text = payload.string().replaceAll('-', '+').replaceAll('_', '/');
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new InvalidDocumentError(
      `${envelope.what} is invalid: its payload is no base64`,
      { what: envelope.what },
      { cause },
    );
  }
}

function said(predicateType: string, predicate: Field): Pick<Attestation, 'packages' | 'build'> {
  if (predicateType.startsWith(PROVENANCE)) {
    return { build: predicate.has('buildDefinition') ? buildOfV1(predicate) : buildOfV02(predicate) };
  }
  if (predicateType.startsWith(CYCLONEDX)) return { packages: cycloneComponents(predicate) };
  // BuildKit has the document itself as the predicate, other tools have it in `Data`
  const document = predicate.optional('Data') ?? predicate;
  return predicateType.startsWith(SPDX) ? { packages: spdxPackages(document) } : {};
}

/** SPDX 2.3, clause 7. */
function spdxPackages(document: Field): readonly SoftwarePackage[] {
  return (document.optional('packages')?.list() ?? []).map((entry) => {
    const references = entry.optional('externalRefs')?.list() ?? [];
    const isPurl = (reference: Field) => reference.optional('referenceType')?.value === 'purl';
    const purl = references.find(isPurl)?.optional('referenceLocator')?.string() ?? '';
    const licenses = ['licenseConcluded', 'licenseDeclared'].map(
      (name) => entry.optional(name)?.string() ?? '',
    );
    return {
      name: entry.required('name').string(),
      version: entry.optional('versionInfo')?.string() ?? '',
      type: purlType(purl),
      license:
        licenses.find((license) => license !== '' && license !== 'NOASSERTION' && license !== 'NONE') ?? '',
      purl,
    };
  });
}

/** CycloneDX 1.4 and later, "components". */
function cycloneComponents(document: Field): readonly SoftwarePackage[] {
  return (document.optional('components')?.list() ?? []).map((entry) => {
    const purl = entry.optional('purl')?.string() ?? '';
    const license = entry.optional('licenses')?.list()[0];
    const named = license?.optional('license');
    return {
      name: entry.required('name').string(),
      version: entry.optional('version')?.string() ?? '',
      type: purlType(purl),
      license:
        license?.optional('expression')?.string() ??
        named?.optional('id')?.string() ??
        named?.optional('name')?.string() ??
        '',
      purl,
    };
  });
}

function purlType(purl: string): string {
  return /^pkg:([A-Za-z0-9.+-]+)\//.exec(purl)?.[1] ?? '';
}

/** slsa.dev/provenance/v0.2 */
function buildOfV02(predicate: Field): BuildFacts {
  const invocation = predicate.optional('invocation');
  const source = invocation?.optional('configSource');
  const metadata = predicate.optional('metadata');
  const file = source?.optional('entryPoint')?.string() ?? '';
  const uri = source?.optional('uri')?.string() ?? '';
  return {
    builder: predicate.optional('builder')?.optional('id')?.string() ?? '',
    buildType: predicate.optional('buildType')?.string() ?? '',
    source: [uri, file].filter((part) => part !== '').join(' '),
    startedOn: metadata?.optional('buildStartedOn')?.string() ?? '',
    finishedOn: metadata?.optional('buildFinishedOn')?.string() ?? '',
    invocationID:
      metadata?.optional('buildInvocationID')?.string() ??
      metadata?.optional('buildInvocationId')?.string() ??
      '',
    parameters: flattened(invocation?.optional('parameters'), ''),
    materials: materialsOf(predicate.optional('materials')),
  };
}

/** slsa.dev/provenance/v1 */
function buildOfV1(predicate: Field): BuildFacts {
  const definition = predicate.required('buildDefinition');
  const details = predicate.optional('runDetails');
  const metadata = details?.optional('metadata');
  const parameters = definition.optional('externalParameters');
  const source = parameters?.optional('configSource');
  return {
    builder: details?.optional('builder')?.optional('id')?.string() ?? '',
    buildType: definition.optional('buildType')?.string() ?? '',
    source: [source?.optional('uri')?.string() ?? '', source?.optional('path')?.string() ?? '']
      .filter((part) => part !== '')
      .join(' '),
    startedOn: metadata?.optional('startedOn')?.string() ?? '',
    finishedOn: metadata?.optional('finishedOn')?.string() ?? '',
    invocationID: metadata?.optional('invocationId')?.string() ?? '',
    parameters: flattened(parameters?.optional('request') ?? parameters, ''),
    materials: materialsOf(definition.optional('resolvedDependencies')),
  };
}

function materialsOf(list: Field | undefined): BuildFacts['materials'] {
  return (list?.list() ?? []).map((entry) => {
    const [digest] = Object.entries(entry.optional('digest')?.stringMap() ?? {});
    return {
      uri: entry.optional('uri')?.string() ?? entry.optional('name')?.string() ?? '',
      digest: digest === undefined ? '' : `${digest[0]}:${digest[1]}`,
    };
  });
}

/** Nested parameters as `args.build-arg:A = b`; a list as its JSON. */
function flattened(
  field: Field | undefined,
  prefix: string,
  depth = 6,
): readonly { readonly name: string; readonly value: string }[] {
  if (field === undefined) return [];
  const { value } = field;
  if (depth > 0 && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return field
      .members()
      .flatMap(([name]) =>
        flattened(field.optional(name), prefix === '' ? name : `${prefix}.${name}`, depth - 1),
      );
  }
  return [{ name: prefix, value: typeof value === 'string' ? value : JSON.stringify(value) }];
}
