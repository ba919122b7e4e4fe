/** `layerbox mirror`: the words, the account, what is shown, the exit code. */

import { formatSize } from '../engine/cli/format.ts';
import { flagUsages } from '../engine/cli/help.ts';
import { CancelledError, UsageError } from '../engine/errors.ts';
import { familiarReference, formatReference, type Reference } from '../engine/oci/reference.ts';
import { type Credential, passwordCredential } from '../engine/registry/credentials.ts';
import type { Fetch } from '../engine/registry/request.ts';
import type { Patience, Retry } from '../engine/registry/retry.ts';
import { dockerConfigPath, readDockerAccounts } from './docker-config.ts';
import { failureText } from './failure-text.ts';
import type { ImagePlan } from './image-plan.ts';
import { LayoutFolder } from './layout-folder.ts';
import { namesInIndex } from './layout-names.ts';
import { type MirrorReport, mirrorImages } from './mirror.ts';
import { type MirrorWords, mirrorFlags, parseMirrorWords } from './mirror-options.ts';
import { Origins } from './origins.ts';
import { type LineStream, ProgressLine } from './progress-line.ts';

/** The effects of the command. */
export interface CommandPlace {
  readonly stdout: LineStream;
  readonly stderr: LineStream;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly env: NodeJS.ProcessEnv;
  readonly fetch: Fetch;
  readonly now: () => number;
  /** How long requests that fail are made again. */
  readonly patience?: Patience;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** As a shell has it for what SIGINT ended. */
const INTERRUPTED = 130;

/** Milliseconds: who waits longer than this for a request is told why. */
const NOTED_WAIT = 1500;

export const mirrorHelp = `Usage:  layerbox mirror [OPTIONS] --to DIR IMAGE [IMAGE...]

Copy images from registries into a folder that any static web server serves

Options:
`;

/** Runs it; resolves with the exit code: 0, 1 when an image could not be copied, 130 when interrupted. Errors of the words are thrown. */
export async function mirrorCommand(argv: readonly string[], place: CommandPlace): Promise<number> {
  const words = parseMirrorWords(argv, place.env);
  if (words === 'help') {
    place.stdout.write(`${mirrorHelp}${flagUsages(mirrorFlags, place.stdout.columns)}`);
    return 0;
  }
  const folder = await LayoutFolder.open(words.folder);
  if (words.list) return listImages(folder, place);
  const docker = await readDockerAccounts(dockerConfigPath(place.env));
  const given = await givenAccount(words, place);
  const shown = new Shown(words, place, folder, (reference) =>
    given === undefined ? docker.unusable(reference.registry) : undefined,
  );
  const { fetch, now, patience, signal } = place;
  const onRetry = (retry: Retry) => shown.retry(retry);
  const origins = new Origins({
    plainHttp: words.plainHttp,
    credential: (registry) => given ?? docker.accounts.get(registry),
    fetch,
    now,
    onRetry,
    ...(patience !== undefined && { patience }),
  });
  try {
    const { failed } = await mirrorImages(folder, words.references, {
      wanted: words.wanted,
      jobs: words.jobs,
      sourceOf: (reference) => origins.source(reference),
      fetch,
      onRetry,
      ...(patience !== undefined && { patience }),
      signal,
      report: shown,
    });
    shown.finish();
    return failed === 0 ? 0 : 1;
  } catch (error) {
    shown.finish();
    if (!(error instanceof CancelledError)) throw error;
    place.stderr.write(
      `Interrupted. ${folder.path} is consistent: the same command again copies what is missing.\n`,
    );
    return INTERRUPTED;
  }
}

/** From the flags and the environment. UsageError when a name comes without a password. */
async function givenAccount(words: MirrorWords, place: CommandPlace): Promise<Credential | undefined> {
  const { username, passwordStdin } = words;
  if (username === undefined) return undefined;
  let password = place.env.LAYERBOX_PASSWORD ?? '';
  if (passwordStdin) {
    const pieces: Buffer[] = [];
    for await (const piece of place.stdin) pieces.push(Buffer.from(piece));
    // as docker login does: the line feed that `echo` or an editor adds is no part of it
    password = Buffer.concat(pieces)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  }
  if (password === '')
    throw new UsageError(
      `the account ${JSON.stringify(username)} needs a password: give it to --password-stdin or in LAYERBOX_PASSWORD`,
    );
  return passwordCredential(username, password);
}

async function listImages(folder: LayoutFolder, place: CommandPlace): Promise<number> {
  for (const { name, descriptor } of namesInIndex(await folder.readIndex(), folder.path))
    place.stdout.write(`${name}\t${descriptor.digest}\n`);
  return 0;
}

/** Names of the copied images on standard output, all else on standard error. */
class Shown implements MirrorReport {
  readonly #words: MirrorWords;
  readonly #place: CommandPlace;
  readonly #folder: LayoutFolder;
  readonly #unusable: (reference: Reference) => string | undefined;
  readonly #line: ProgressLine;
  #blobs = { count: 0, bytes: 0 };
  #doneBlobs = 0;
  #bytes = 0;
  #there = 0;
  #copied = 0;
  #images = 0;

  constructor(
    words: MirrorWords,
    place: CommandPlace,
    folder: LayoutFolder,
    unusable: (reference: Reference) => string | undefined,
  ) {
    this.#words = words;
    this.#place = place;
    this.#folder = folder;
    this.#unusable = unusable;
    this.#line = new ProgressLine(place.stderr, place.now);
  }

  planned(plans: readonly ImagePlan[], blobs: { readonly count: number; readonly bytes: number }): void {
    this.#blobs = blobs;
    for (const plan of plans) {
      const { name, target, platforms, missing, notes } = plan;
      this.#say(`${name}: ${target.digest}${platforms.length === 0 ? '' : ` (${platforms.join(', ')})`}`);
      if (missing.length > 0) this.#warn(`${name} has no ${missing.join(' and no ')}`);
      for (const note of notes) this.#warn(note);
    }
    this.#show();
  }

  blobDone(bytes: number, how: 'copied' | 'there'): void {
    this.#doneBlobs += 1;
    if (how === 'copied') this.#copied += bytes;
    else {
      this.#there += bytes;
      this.#bytes += bytes;
    }
    this.#show();
  }

  bytes(count: number): void {
    this.#bytes += count;
    this.#show();
  }

  retry({ url, reason, wait }: Retry): void {
    if (wait >= NOTED_WAIT)
      this.#warn(`${new URL(url).host}: ${reason}; asking again in ${Math.round(wait / 1000)} s`);
  }

  imageDone(plan: ImagePlan, changed: boolean): void {
    this.#images += 1;
    this.#line.clear();
    if (this.#words.quiet) this.#place.stdout.write(`${formatReference(plan.reference)}\n`);
    else this.#place.stdout.write(`${plan.name}: ${changed ? 'copied' : 'up to date'}\n`);
  }

  imageFailed(reference: Reference, error: unknown): void {
    const text = failureText(familiarReference(reference), error, this.#unusable(reference));
    this.#line.line(`layerbox: ${text}`);
  }

  finish(): void {
    this.#line.clear();
    const { length } = this.#words.references;
    if (this.#images === 0) return;
    this.#say(
      `${this.#images} of ${length} image${length === 1 ? '' : 's'} in ${this.#folder.path}: ${formatSize(this.#copied)} copied, ${formatSize(this.#there)} there before`,
    );
  }

  #show(): void {
    if (this.#words.quiet) return;
    const { count, bytes } = this.#blobs;
    this.#line.show({ doneBlobs: this.#doneBlobs, blobs: count, doneBytes: this.#bytes, bytes });
  }

  #say(text: string): void {
    if (!this.#words.quiet) this.#line.line(text);
  }

  #warn(text: string): void {
    this.#line.line(`Note: ${text}.`);
  }
}
