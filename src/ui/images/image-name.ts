/** How an image is called on the page and in its URL. */

import type { ImageSummary } from '../../rpc/sandbox.ts';

/** `busybox:latest`; the short ID when it has no name. */
export function imageName({ repository, tag, id }: Pick<ImageSummary, 'repository' | 'tag' | 'id'>): string {
  if (repository === '<none>') return id.slice(id.indexOf(':') + 1, id.indexOf(':') + 13);
  return tag === '<none>' ? `${repository}@${id.slice(0, 19)}` : `${repository}:${tag}`;
}

/** The image that a URL names: by its name, its full reference, its ID or the beginning of one. */
export function findImage(images: readonly ImageSummary[], named: string): ImageSummary | undefined {
  return (
    images.find((image) => imageName(image) === named || image.reference === named) ??
    images.find((image) => image.tag === 'latest' && image.repository === named) ??
    (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(named)
      ? images.find(({ id }) => id.replace('sha256:', '').startsWith(named.replace('sha256:', '')))
      : undefined)
  );
}
