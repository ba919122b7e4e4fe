/** A pull with what it shows: of `docker pull`, and of `docker run` when the image is not here. */

import type { EarlyImage } from '../image/early-pulls.ts';
import type { PulledImage } from '../image/images.ts';
import type { PullProgress } from '../image/pull-progress.ts';
import type { Platform } from '../oci/descriptor.ts';
import { parsePlatform } from '../oci/platform.ts';
import { familiarReference, type Reference } from '../oci/reference.ts';
import type { DockerHost } from './docker-host.ts';
import { PullDisplay } from './pull-display.ts';
import type { Stdio } from './stdio.ts';

export interface PullRequest {
  readonly reference: Reference;
  /** The value of `--platform`; '' for none. */
  readonly platform: string;
  readonly quiet: boolean;
  /** One of several: how it ended is said once, for all of them. */
  readonly isOneOfAll?: boolean;
  /** Where progress goes: `docker run` keeps standard output for the program. */
  readonly stream: 'out' | 'err';
}

/** The platform that `--platform` names, or none. InvalidPlatformError. */
export function platformOption(text: string): { readonly platform?: Platform } {
  return text === '' ? {} : { platform: parsePlatform(text) };
}

/**
 * Pulls and shows it until the image can be run, which may be before it is whole; then says so. Rejects as
 * `Images.pullToRun` does.
 */
export async function pullToRun(host: DockerHost, stdio: Stdio, request: PullRequest): Promise<EarlyImage> {
  const { reference, quiet } = request;
  const shown = showing(host, stdio, request);
  let early: EarlyImage;
  try {
    early = await host.images.pullToRun(reference, {
      ...platformOption(request.platform),
      signal: stdio.signal,
      ...(!quiet && { onProgress: shown.onProgress }),
    });
  } finally {
    await shown.display.finish();
  }
  if (quiet) return early;
  if (early.pulled === undefined) {
    const text = `Status: Started ${familiarReference(reference)} while it is still being downloaded`;
    shown.display.line(text);
    await shown.display.finish();
  } else await shown.end(early.pulled);
  return early;
}

/** Pulls and shows it as Docker does. Rejects as `Images.pull` does. */
export async function pullImage(host: DockerHost, stdio: Stdio, request: PullRequest): Promise<PulledImage> {
  const { reference, quiet } = request;
  const shown = showing(host, stdio, request);
  let pulled: PulledImage;
  try {
    pulled = await host.images.pull(reference, {
      ...platformOption(request.platform),
      signal: stdio.signal,
      ...(!quiet && { onProgress: shown.onProgress }),
    });
  } finally {
    await shown.display.finish();
  }
  if (!quiet) await shown.end(pulled);
  return pulled;
}

/** How a pull ended. */
export function statusLine(isChanged: boolean, name: string): string {
  return `Status: ${isChanged ? 'Downloaded newer image' : 'Image is up to date'} for ${name}`;
}

/** What is shown of a pull, in Docker's words. */
function showing(host: DockerHost, stdio: Stdio, { reference, stream, isOneOfAll }: PullRequest) {
  const display = new PullDisplay(stdio, stream, host.now);
  const onProgress = (progress: PullProgress) => {
    // said once the registry has answered: what is not there is not pulled
    if (progress.type === 'resolved') {
      display.line(`${reference.digest ?? reference.tag ?? 'latest'}: Pulling from ${reference.repository}`);
    } else display.show(progress);
  };
  const end = async (pulled: PulledImage) => {
    display.line(`Digest: ${pulled.digest}`);
    if (isOneOfAll !== true) display.line(statusLine(pulled.changed, familiarReference(reference)));
    await display.finish();
  };
  return { display, onProgress, end };
}
