/** Image configs: image-spec, config.md, and Docker's image specification 1.2. */

import { InvalidDocumentError } from '../errors.ts';
import type { Platform } from './descriptor.ts';
import type { DiffID } from './digest.ts';
import { CONFIG_LIMIT, Field, parseDocument, platformOf } from './document.ts';
import type { Manifest } from './manifest.ts';

export interface ImageConfig {
  /** As RFC 3339 has it, verbatim; absent when the image does not say. */
  readonly created?: string;
  readonly author?: string;
  readonly platform: Platform;
  readonly config: RuntimeConfig;
  /** Bottom first. */
  readonly diffIDs: readonly DiffID[];
  readonly history: readonly HistoryEntry[];
}

/** What to run, when nothing else is said. Lists are empty and strings '' when the image does not say. */
export interface RuntimeConfig {
  readonly user: string;
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly volumes: readonly string[];
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string;
  /** Docker's additions to the specification. */
  readonly shell: readonly string[];
  readonly onBuild: readonly string[];
  readonly healthcheck?: Healthcheck;
}

/** Durations in nanoseconds; 0 for inherited. */
export interface Healthcheck {
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly retries: number;
  /** Between checks while the start period lasts. */
  readonly startInterval?: number;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  /** True when the step made no layer. */
  readonly emptyLayer: boolean;
}

/** The config in these bytes. InvalidDocumentError naming the field. */
export function parseConfig(bytes: Uint8Array, what: string): ImageConfig {
  const root = parseDocument(bytes, what, CONFIG_LIMIT);
  const rootfs = root.required('rootfs');
  const type = rootfs.required('type');
  if (type.string() !== 'layers') type.fail('must be "layers"');
  const created = timeOf(root.optional('created'));
  const author = root.optional('author')?.string();
  return {
    ...(created !== undefined && { created }),
    ...(author !== undefined && { author }),
    platform: platformOf(root),
    config: runtimeOf(root.optional('config') ?? new Field({}, 'config', root.what)),
    diffIDs: rootfs
      .required('diff_ids')
      .list()
      .map((item) => item.digest()),
    history: (root.optional('history')?.list() ?? []).map(historyOf),
  };
}

function runtimeOf(config: Field): RuntimeConfig {
  const strings = (name: string) => config.optional(name)?.strings() ?? [];
  const string = (name: string) => config.optional(name)?.string() ?? '';
  const healthcheck = config.optional('Healthcheck');
  return {
    user: string('User'),
    exposedPorts: config.optional('ExposedPorts')?.names() ?? [],
    env: strings('Env'),
    entrypoint: strings('Entrypoint'),
    cmd: strings('Cmd'),
    volumes: config.optional('Volumes')?.names() ?? [],
    workingDir: string('WorkingDir'),
    labels: config.optional('Labels')?.stringMap() ?? {},
    stopSignal: string('StopSignal'),
    shell: strings('Shell'),
    onBuild: strings('OnBuild'),
    ...(healthcheck !== undefined && { healthcheck: healthcheckOf(healthcheck) }),
  };
}

function healthcheckOf(field: Field): Healthcheck {
  const count = (name: string) => field.optional(name)?.count() ?? 0;
  return {
    test: field.optional('Test')?.strings() ?? [],
    interval: count('Interval'),
    timeout: count('Timeout'),
    startPeriod: count('StartPeriod'),
    retries: count('Retries'),
    ...(field.optional('StartInterval') !== undefined && { startInterval: count('StartInterval') }),
  };
}

function historyOf(field: Field): HistoryEntry {
  const created = timeOf(field.optional('created'));
  return {
    ...(created !== undefined && { created }),
    createdBy: field.optional('created_by')?.string() ?? '',
    author: field.optional('author')?.string() ?? '',
    comment: field.optional('comment')?.string() ?? '',
    emptyLayer: field.optional('empty_layer')?.boolean() ?? false,
  };
}

/** RFC 3339, section 5.6, kept as it was written: its fraction may be finer than a Date. */
function timeOf(field: Field | undefined): string | undefined {
  const text = field?.string();
  if (field === undefined || text === undefined || text === '') return undefined;
  const shape = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
  if (!shape.test(text) || Number.isNaN(Date.parse(text)))
    return field.fail('must be a time as RFC 3339 has it');
  return text;
}

/**
 * The layers of an image, bottom first: each diffID with the blob that holds
 * it. InvalidDocumentError when manifest and config count differently.
 */
export function pairLayers(
  manifest: Manifest,
  config: ImageConfig,
  what: string,
): readonly { readonly diffID: DiffID; readonly blob: Manifest['layers'][number] }[] {
  const { layers } = manifest;
  const { diffIDs } = config;
  if (layers.length !== diffIDs.length) {
    throw new InvalidDocumentError(
      `${what} is invalid: its manifest has ${layers.length} layers, its config ${diffIDs.length} diff_ids`,
      { what, layers: layers.length, diffIDs: diffIDs.length },
    );
  }
  return layers.flatMap((blob, i) => {
    const diffID = diffIDs[i];
    return diffID === undefined ? [] : [{ diffID, blob }];
  });
}
