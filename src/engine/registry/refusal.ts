/** What a registry's refusal says (distribution-spec, "Error Codes"), as an error. */

import {
  BlobUnknownError,
  type LayerboxError,
  ManifestUnknownError,
  RegistryDeniedError,
  RegistryResponseError,
} from '../errors.ts';
import { printableName } from '../names.ts';
import { parseChallenges } from './challenge.ts';
import { PATIENT } from './retry.ts';
import { readInTime } from './stalled-read.ts';

const MESSAGE_LIMIT = 64 * 1024;

/**
 * The error for an answer that is no success: 404 is BlobUnknown or
 * ManifestUnknown, 401 and 403 RegistryDenied, all else RegistryResponse. Each
 * carries `status`, `url` and the registry's own message when it gave one. What a registry denies to who wants a
 * manifest of `repository`, and a repository that it does not know, are told in Docker's words (moby,
 * distribution/errors.go: notFoundError).
 */
export async function refusal(
  response: Response,
  request: { readonly url: string; readonly what: string; readonly repository?: string },
  kind: 'blob' | 'manifest' | 'token' | 'list',
): Promise<LayerboxError> {
  const { said, code } = await registryMessage(response);
  const host = new URL(request.url).host;
  const data = { status: response.status, url: request.url, what: request.what, ...(said && { said }) };
  const quoted = said === undefined ? '' : `: ${said}`;
  if (request.repository !== undefined && isDenied(response, code)) {
    const words = `pull access denied for ${request.repository}, repository does not exist or may require 'docker login'`;
    const why = code === 'DENIED' && said !== undefined ? said : 'requested access to the resource is denied';
    const Class = response.status === 404 ? ManifestUnknownError : RegistryDeniedError;
    return new Class(`${words}: denied: ${why}`, data);
  }
  if (response.status === 404 && kind === 'manifest') {
    const isNameUnknown = code === 'NAME_UNKNOWN';
    const missing =
      isNameUnknown && request.repository !== undefined ? `repository ${request.repository}` : request.what;
    const why = isNameUnknown ? 'name unknown' : 'manifest unknown';
    return new ManifestUnknownError(`${missing} not found: ${why}${quoted} (${host})`, data);
  }
  if (response.status === 404 && kind === 'list') {
    return new ManifestUnknownError(`${request.what} not found${quoted} (${host})`, data);
  }
  if (response.status === 404 && kind === 'blob') {
    return new BlobUnknownError(`${host} does not have ${request.what}${quoted}`, data);
  }
  if (response.status === 401 || response.status === 403) {
    return new RegistryDeniedError(
      `${host} denies access to ${request.what}${quoted}: it does not exist there, or it may not be pulled without an account (docker login)`,
      data,
    );
  }
  const advice =
    response.status === 429
      ? '; it limits how much may be pulled: try again later'
      : response.status >= 500
        ? '; the fault is with the registry: try again later'
        : '';
  return new RegistryResponseError(
    `${host} answered ${response.status} for ${request.what}${quoted}${advice}`,
    data,
  );
}

/** By its code; or by a token that does not allow it, which Docker's client takes for the same. */
function isDenied(response: Response, code: string | undefined): boolean {
  const { status, headers } = response;
  if (status !== 401 && status !== 403 && status !== 404) return false;
  if (code === 'DENIED') return true;
  const challenges = status === 401 ? parseChallenges(headers.get('www-authenticate') ?? '') : [];
  return challenges.some(({ parameters }) => parameters.get('error') === 'insufficient_scope');
}

interface RegistryMessage {
  readonly said?: string;
  /** Of the first error. */
  readonly code?: string;
}

/** The messages of `{"errors": [{"code", "message"}]}`, made fit to print, and the first code; nothing where there are none. */
async function registryMessage(response: Response): Promise<RegistryMessage> {
  const text = await beginning(response);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return {}; // a page for people, or nothing: the status says it all
  }
  const messages: string[] = [];
  const errors = listOf(body, 'errors');
  for (const error of errors) {
    const words = stringOf(error, 'message') ?? stringOf(error, 'code');
    if (words !== undefined) messages.push(words);
  }
  const details = stringOf(body, 'details') ?? stringOf(body, 'message');
  if (messages.length === 0 && details !== undefined) messages.push(details);
  if (messages.length === 0) return {};
  const code = stringOf(errors[0], 'code');
  return { said: printableName(messages.join('; ')).slice(0, 500), ...(code !== undefined && { code }) };
}

/** As much of the body as a message can be; a connection that breaks here changes nothing. */
async function beginning(response: Response): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder('utf-8');
  let text = '';
  try {
    while (text.length < MESSAGE_LIMIT) {
      const step = await readInTime(reader.read(), PATIENT.stall);
      if (step.done) return text;
      text += decoder.decode(step.value, { stream: true });
    }
    await reader.cancel();
  } catch (error) {
    await reader.cancel(error).catch(() => undefined); // of a connection that is broken already
    return text;
  }
  return '';
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = property(value, name);
  return Array.isArray(list) ? list.slice(0, 10) : [];
}

function stringOf(value: unknown, name: string): string | undefined {
  const text = property(value, name);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
