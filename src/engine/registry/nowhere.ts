/** When an image comes from none of the places that were asked: which failures lead on to the next, and what is said at the end. */

import {
  CancelledError,
  type LayerboxError,
  ManifestUnknownError,
  RegistryDeniedError,
  RegistryResponseError,
  RegistryUnreachableError,
} from '../errors.ts';
import { familiarReference, type Reference } from '../oci/reference.ts';
import { isOnLoopback, originAddress } from './origin-address.ts';
import { lineFailure, originOf } from './request.ts';
import type { ImageSource } from './source.ts';

/** Failures that say "not from here". What does not verify, or was cancelled, ends the search. */
export function isPassedOver(error: unknown): error is LayerboxError {
  if (error instanceof CancelledError) return false;
  return [ManifestUnknownError, RegistryUnreachableError, RegistryDeniedError, RegistryResponseError].some(
    (Passed) => error instanceof Passed,
  );
}

/** A place that was asked, and why the image does not come from there. */
export interface FailedSource {
  readonly source: ImageSource;
  readonly error: LayerboxError;
}

/** The error when no place has it: that of the last, which is the registry itself, with those of the mirrors. */
export function nowhere(reference: Reference, failures: readonly FailedSource[]): LayerboxError {
  const last = failures.at(-1);
  if (last === undefined)
    return new ManifestUnknownError(`manifest for ${familiarReference(reference)} not found`);
  const mirrors = failures.slice(0, -1);
  const { error } = last;
  const Class = classOf(error);
  const own = error.code === 'RegistryUnreachable' ? unanswered(reference, error) : error.message;
  const told = mirrors.map((failure) => `\n- ${failure.source.name}: ${failure.error.message}`).join('');
  const message = told === '' ? own : `${own}\nMirrors were asked before:${told}`;
  return new Class(
    message,
    { ...error.data, mirrors: mirrors.map(({ source }) => source.name) },
    { cause: error },
  );
}

function classOf(error: LayerboxError) {
  const classes = [RegistryUnreachableError, RegistryDeniedError, RegistryResponseError];
  return classes.find((Class) => error instanceof Class) ?? ManifestUnknownError;
}

/**
 * Whose answer it was that a page could not read: a registry's token service may be on another origin. What came too
 * late or broke off could be read.
 */
function unanswered(reference: Reference, error: LayerboxError): string {
  if (lineFailure(error) !== undefined)
    return `cannot pull ${familiarReference(reference)}: ${error.message}`;
  const { url } = error.data;
  const origin = originOf(originAddress(reference.registry));
  if (typeof url !== 'string' || originOf(url) === origin) return unreadable(reference, error);
  return (
    `cannot pull ${familiarReference(reference)}: ${error.message}. ` +
    `${origin} sends its readers there; docs/registry.md has configurations that make both readable.`
  );
}

/** A browser says no more than "Failed to fetch"; this says what that most likely means and what can be done. */
function unreadable(reference: Reference, error: LayerboxError): string {
  const name = familiarReference(reference);
  const { registry } = reference;
  const origin = originAddress(registry);
  const cause = error.cause === undefined ? '' : ` (${describe(error.cause)})`;
  const lines = [
    `cannot pull ${name}: no answer from ${origin} that this page may read${cause}. Either it is down, or it does not send CORS headers: ` +
      'a web page may read another site only when that site allows it, and Docker Hub and most public registries do not.',
    'To bring the image here, copy it on your computer into a folder, put that on a web server and name it in `mirrors`:',
    `- npx layerbox mirror ${name} --to images`,
    `- mirrors: { ${JSON.stringify(registry)}: "layout:https://<server>/images/" }`,
    'docs/mirror.md tells how. For a registry of your own, docs/registry.md has configurations that send the headers.',
  ];
  if (isOnLoopback(registry)) {
    lines.splice(
      1,
      0,
      `Check that a registry runs at ${origin} and sends Access-Control-Allow-Origin (http.headers in the configuration of CNCF Distribution).`,
    );
  }
  return lines.join('\n');
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
