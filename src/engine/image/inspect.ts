/** `docker image inspect`: the names and shapes of Docker's API ("ImageInspect"). */

import type { Healthcheck, ImageConfig, RuntimeConfig } from '../oci/config.ts';
import { familiarName, familiarReference, parseReference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/records.ts';
import { isDangling } from './image-names.ts';

type Names = Readonly<Record<string, Readonly<Record<string, never>>>>;

export interface ImageInspection {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created: string;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: InspectedConfig;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly OsVersion?: string;
  readonly Size: number;
  readonly GraphDriver: { readonly Data: null; readonly Name: string };
  readonly RootFS: { readonly Type: 'layers'; readonly Layers: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
}

/** What is empty is left out (API 1.50, "ImageConfig"). */
export interface InspectedConfig {
  readonly User?: string;
  readonly ExposedPorts?: Names;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Names;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: {
    readonly Test: readonly string[];
    readonly Interval: number;
    readonly Timeout: number;
    readonly StartPeriod: number;
    readonly Retries: number;
  };
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
}

/** `names`: all records of the image; `size`: bytes of file content. */
export function inspectImage(
  record: ImageRecord,
  known: { readonly config: ImageConfig; readonly names: readonly ImageRecord[]; readonly size: number },
): ImageInspection {
  const { config, size } = known;
  const named = known.names.filter((name) => !isDangling(name));
  const references = named.map((name) => ({ name, reference: parseReference(name.id) }));
  const digests = references.map(({ name, reference }) => `${familiarName(reference)}@${name.target.digest}`);
  const tags = references.flatMap(({ reference }) =>
    reference.digest === undefined ? familiarReference(reference) : [],
  );
  const { variant, osVersion } = config.platform;
  const tagged = Math.max(record.taggedAt, ...named.map((name) => name.taggedAt));
  return {
    Id: record.imageID,
    RepoTags: tags,
    RepoDigests: [...new Set(digests)],
    Parent: '',
    Comment: config.history.at(-1)?.comment ?? '',
    Created: config.created ?? '0001-01-01T00:00:00Z',
    DockerVersion: '',
    Author: config.author ?? '',
    Config: inspectConfig(config.config),
    Architecture: config.platform.architecture,
    ...(variant !== undefined && { Variant: variant }),
    Os: config.platform.os,
    ...(osVersion !== undefined && { OsVersion: osVersion }),
    Size: size,
    GraphDriver: { Data: null, Name: 'layerbox' },
    RootFS: { Type: 'layers', Layers: config.diffIDs },
    Metadata: { LastTagTime: new Date(tagged).toISOString() },
  };
}

function inspectConfig(config: RuntimeConfig): InspectedConfig {
  return {
    ...(config.user !== '' && { User: config.user }),
    ...(config.exposedPorts.length > 0 && { ExposedPorts: emptyObjects(config.exposedPorts) }),
    ...(config.env.length > 0 && { Env: config.env }),
    ...(config.entrypoint.length > 0 && { Entrypoint: config.entrypoint }),
    ...(config.cmd.length > 0 && { Cmd: config.cmd }),
    ...(config.volumes.length > 0 && { Volumes: emptyObjects(config.volumes) }),
    ...(config.workingDir !== '' && { WorkingDir: config.workingDir }),
    ...(Object.keys(config.labels).length > 0 && { Labels: config.labels }),
    ...(config.stopSignal !== '' && { StopSignal: config.stopSignal }),
    ...(config.healthcheck !== undefined && { Healthcheck: inspectHealthcheck(config.healthcheck) }),
    ...(config.onBuild.length > 0 && { OnBuild: config.onBuild }),
    ...(config.shell.length > 0 && { Shell: config.shell }),
  };
}

function inspectHealthcheck(check: Healthcheck) {
  return {
    Test: check.test,
    Interval: check.interval,
    Timeout: check.timeout,
    StartPeriod: check.startPeriod,
    ...(check.startInterval !== undefined && { StartInterval: check.startInterval }),
    Retries: check.retries,
  };
}

function emptyObjects(names: readonly string[]): Names {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
