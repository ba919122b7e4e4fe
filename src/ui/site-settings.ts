/**
 * What whoever runs the site sets without building it anew: `sandbox.json` beside the page.
 *
 *     { "mirrors": { "docker.io": "layout:images/" } }
 */

import { LayerboxError } from '../rpc/engine-types.ts';
import type { SandboxOptions } from '../rpc/sandbox.ts';

export type SiteSettings = Pick<SandboxOptions, 'mirrors' | 'memory'>;

/**
 * The settings of the site whose page has this URL; none when it has no such file. LayerboxError saying what is
 * wrong with the file.
 */
export async function readSiteSettings(page: string, fetch: typeof globalThis.fetch): Promise<SiteSettings> {
  const url = new URL('sandbox.json', page).href;
  let text: string;
  try {
    const response = await fetch(url, { cache: 'no-cache', credentials: 'same-origin' });
    // some hosts say so of what they do not have
    if ([403, 404, 410].includes(response.status)) return {};
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    text = await response.text();
  } catch (cause) {
    throw unusable(url, cause instanceof Error ? cause.message : String(cause));
  }
  // some hosts answer 200 and a page for what they do not have
  if (/^\s*</.test(text)) return {};
  return parseSiteSettings(text, url);
}

/** The settings in the text of the file at `url`, to which mirrors may be relative. LayerboxError naming the value. */
export function parseSiteSettings(text: string, url: string): SiteSettings {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (cause) {
    throw unusable(url, cause instanceof Error ? cause.message : String(cause));
  }
  if (!isRecord(root)) throw unusable(url, 'it must be an object');
  const { mirrors, memory, ...others } = root;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw unusable(url, `${JSON.stringify(unknown)} is no setting: there are "mirrors" and "memory"`);
  }
  if (memory !== undefined && typeof memory !== 'number')
    throw unusable(url, '"memory" must be a number of MB');
  return {
    ...(mirrors !== undefined && { mirrors: mirrorsOf(mirrors, url) }),
    ...(memory !== undefined && { memory }),
  };
}

function mirrorsOf(value: unknown, url: string): Readonly<Record<string, readonly string[]>> {
  if (!isRecord(value)) throw unusable(url, '"mirrors" must be an object of names and places');
  return Object.fromEntries(
    Object.entries(value).map(([name, places]) => {
      const list: readonly unknown[] = Array.isArray(places) ? places : [places];
      return [name, list.map((place) => placeOf(name, place, url))];
    }),
  );
}

/** Places in the file may be relative to it, as the folder of images is often beside the page. */
function placeOf(name: string, place: unknown, url: string): string {
  const text = typeof place === 'string' ? place : '';
  const kind = text.startsWith('layout:') ? 'layout:' : '';
  const address = text.slice(kind.length);
  if (address === '' || !URL.canParse(address, url)) {
    throw unusable(
      url,
      `the mirror ${JSON.stringify(place)} for ${JSON.stringify(name)} is no place: write "layout:images/" for a folder of images, "https://registry.example" for a registry`,
    );
  }
  return `${kind}${new URL(address, url).href}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(url: string, why: string): Error {
  return new LayerboxError(`The settings of this site, ${url}, can't be used: ${why}.`, { url });
}
