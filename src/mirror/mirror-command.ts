/** `layerbox mirror`: the words, the account, what is shown, the exit code. */

import { flagUsages } from '../engine/cli/help.ts';
import { CancelledError, UsageError } from '../engine/errors.ts';
import { printableName } from '../engine/names.ts';
import { type Credential, passwordCredential } from '../engine/registry/credentials.ts';
import type { Fetch } from '../engine/registry/request.ts';
import type { Patience, Retry } from '../engine/registry/retry.ts';
import { dockerConfigPath, readDockerAccounts } from './docker-config.ts';
import { LayoutFolder } from './layout-folder.ts';
import { namesInIndex } from './layout-names.ts';
import { mirrorImages } from './mirror.ts';
import { MirrorDisplay } from './mirror-display.ts';
import { type MirrorWords, mirrorFlags, parseMirrorWords } from './mirror-options.ts';
import { Origins } from './origins.ts';
import type { LineStream } from './progress-line.ts';

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
  const { references, quiet } = words;
  const shown = new MirrorDisplay({
    stdout: place.stdout,
    stderr: place.stderr,
    now: place.now,
    quiet,
    images: references.length,
    folder: folder.path,
    unusable: ({ registry }) => (given === undefined ? docker.unusable(registry) : undefined),
  });
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
    const { failed } = await mirrorImages(folder, references, {
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
    place.stdout.write(`${printableName(name)}\t${descriptor.digest}\n`);
  return 0;
}
