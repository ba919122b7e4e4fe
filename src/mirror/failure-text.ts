/** How a failure of the copying is said on the command line. */

import { LayerboxError, RegistryDeniedError, RegistryUnreachableError } from '../engine/errors.ts';
import { lineFailure } from '../engine/registry/request.ts';

/** A sentence or more, the name of the image first. `unusable`: why an account that exists can't be used. */
export function failureText(name: string, error: unknown, unusable: string | undefined): string {
  const message = messageOf(error);
  const named = message.includes(name) ? message : `${name}: ${message}`;
  if (!(error instanceof RegistryDeniedError)) return named;
  const advice = unusable === undefined ? '' : `${unusable}. `;
  return `${named}. ${advice}An account is given with --username and --password-stdin, or by the auths of Docker's config.json`;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const why = reason(error);
  // here it is not CORS: that is a matter of browsers
  const isUnanswered = error instanceof RegistryUnreachableError && lineFailure(error) === undefined;
  if (isUnanswered && typeof error.data.url === 'string') {
    return `cannot reach ${originText(error.data.url)} for ${error.data.what}: ${why ?? 'no answer'}`;
  }
  return error instanceof LayerboxError && why !== undefined && !error.message.includes(why)
    ? `${error.message}: ${why}`
    : error.message;
}

/** Node's fetch says "fetch failed", and what failed in its cause; an address that has several names fails for each. */
function reason(error: Error): string | undefined {
  let found: string | undefined;
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    const first = cause instanceof AggregateError ? cause.errors[0] : cause;
    if (first instanceof Error && first.message !== '') found = first.message;
  }
  return found;
}

function originText(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}
