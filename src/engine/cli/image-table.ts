/**
 * The table of images that Docker has since version 29: a line per name, by name; with `--tree` the platforms of each
 * below it. Where the output is a terminal a legend stands above it, and a name that is too long gets a line of its own.
 */

import { printableName } from '../names.ts';

export interface TableImage {
  /** Undefined: it has none. */
  readonly name: string | undefined;
  readonly cells: ImageCells;
  readonly platforms: readonly { readonly platform: string; readonly cells: ImageCells }[];
}

export interface ImageCells {
  readonly id: string;
  readonly diskUsage: string;
  readonly contentSize: string;
  readonly isUsed: boolean;
}

const UNTAGGED = '<untagged>';
const SPACING = '   ';
/** Widths of ID, DISK USAGE, CONTENT SIZE and EXTRA, each with its spacing. */
const REST = 15 + 13 + 15 + 8;
const LEGEND = 'i Info →   U  In Use';

/** The lines, each ended by a line feed. `columns`: of the terminal; undefined when it is none. */
export function renderImages(images: readonly TableImage[], columns: number | undefined): string {
  const shown = images.map((image) => ({ ...image, shownName: printableName(image.name ?? UNTAGGED) }));
  const named = shown
    .filter(({ name }) => name !== undefined)
    .sort((a, b) => compare(a.shownName, b.shownName));
  const ordered = [...named, ...shown.filter(({ name }) => name === undefined)];
  const firsts = ordered.flatMap(({ shownName, platforms }) => [
    shownName,
    ...platforms.map(({ platform }) => `└─ ${platform}`),
  ]);
  const widest = Math.max('IMAGE'.length, ...firsts.map(length));
  const room = columns === undefined ? widest : Math.max(12, columns - REST);
  const width = Math.min(widest, room);
  const lines = columns === undefined ? [] : [LEGEND.padStart(columns)];
  lines.push([pad('IMAGE', width), pad('ID', 12), 'DISK USAGE', 'CONTENT SIZE', 'EXTRA'].join(SPACING));
  for (const { shownName, cells, platforms } of ordered) {
    lines.push(...row(shownName, width, cells));
    for (const [index, { platform, cells: own }] of platforms.entries()) {
      lines.push(...row(`${index === platforms.length - 1 ? '└─' : '├─'} ${platform}`, width, own));
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

function row(first: string, width: number, { id, diskUsage, contentSize, isUsed }: ImageCells): string[] {
  const rest = [pad(id, 12), diskUsage.padStart(10), contentSize.padStart(12), isUsed ? '  U  ' : '     '];
  if (length(first) <= width) return [[pad(first, width), ...rest].join(SPACING)];
  return [first, [' '.repeat(width), ...rest].join(SPACING)];
}

function length(text: string): number {
  return [...text].length;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - length(text)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
