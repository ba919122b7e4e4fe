/** A pull with what it shows: of `docker pull`, and of `docker run` when the image is not here. */

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
  /** Where progress goes: `docker run` keeps standard output for the program. */
  readonly stream: 'out' | 'err';
}

/** The platform that `--platform` names, or none. InvalidPlatformError. */
export function platformOption(text: string): { readonly platform?: Platform } {
  return text === '' ? {} : { platform: parsePlatform(text) };
}

/** Pulls and shows it as Docker does. Rejects as `Images.pull` does. */
export async function pullImage(host: DockerHost, stdio: Stdio, request: PullRequest): Promise<PulledImage> {
  const { reference, quiet, stream } = request;
  const display = new PullDisplay(stdio, stream, host.now);
  const onProgress = (progress: PullProgress) => {
    // said once the registry has answered: what is not there is not pulled
    if (progress.type === 'resolved') {
      display.line(`${reference.digest ?? reference.tag ?? 'latest'}: Pulling from ${reference.repository}`);
    } else display.show(progress);
  };
  let pulled: PulledImage;
  try {
    pulled = await host.images.pull(reference, {
      ...platformOption(request.platform),
      signal: stdio.signal,
      ...(!quiet && { onProgress }),
    });
  } finally {
    await display.finish();
  }
  if (!quiet) {
    const status = pulled.changed ? 'Downloaded newer image' : 'Image is up to date';
    display.line(`Digest: ${pulled.digest}`);
    display.line(`Status: ${status} for ${familiarReference(reference)}`);
    await display.finish();
  }
  return pulled;
}
