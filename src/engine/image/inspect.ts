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

export interface InspectedConfig {
  readonly Hostname: string;
  readonly Domainname: string;
  readonly User: string;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly ExposedPorts?: Names;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly StdinOnce: boolean;
  readonly Env: readonly string[] | null;
  readonly Cmd: readonly string[] | null;
  readonly Healthcheck?: {
    readonly Test: readonly string[];
    readonly Interval: number;
    readonly Timeout: number;
    readonly StartPeriod: number;
    readonly Retries: number;
  };
  readonly Image: string;
  readonly Volumes: Names | null;
  readonly WorkingDir: string;
  readonly Entrypoint: readonly string[] | null;
  readonly OnBuild: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
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

/** Docker writes null for a list that is not there. */
export function inspectConfig(config: RuntimeConfig): InspectedConfig {
  return {
    Hostname: '',
    Domainname: '',
    User: config.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.exposedPorts.length > 0 && { ExposedPorts: emptyObjects(config.exposedPorts) }),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: orNull(config.env),
    Cmd: orNull(config.cmd),
    ...(config.healthcheck !== undefined && { Healthcheck: inspectHealthcheck(config.healthcheck) }),
    Image: '',
    Volumes: config.volumes.length === 0 ? null : emptyObjects(config.volumes),
    WorkingDir: config.workingDir,
    Entrypoint: orNull(config.entrypoint),
    OnBuild: orNull(config.onBuild),
    Labels: Object.keys(config.labels).length === 0 ? null : config.labels,
    ...(config.stopSignal !== '' && { StopSignal: config.stopSignal }),
    ...(config.shell.length > 0 && { Shell: config.shell }),
  };
}

function inspectHealthcheck(check: Healthcheck) {
  return {
    Test: check.test,
    Interval: check.interval,
    Timeout: check.timeout,
    StartPeriod: check.startPeriod,
    Retries: check.retries,
  };
}

function orNull(list: readonly string[]): readonly string[] | null {
  return list.length === 0 ? null : list;
}

function emptyObjects(names: readonly string[]): Names {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
