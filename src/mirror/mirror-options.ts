/** The words of `layerbox mirror`. */

import type { Flag } from '../engine/cli/command.ts';
import { type ParsedFlags, parseCommandLine } from '../engine/cli/parse.ts';
import { UsageError } from '../engine/errors.ts';
import { MACHINE_PLATFORM, parsePlatform } from '../engine/oci/platform.ts';
import { parseReference, type Reference } from '../engine/oci/reference.ts';
import type { WantedPlatforms } from './image-plan.ts';

const DEFAULT_JOBS = 4;
const MOST_JOBS = 64;

export const mirrorFlags: readonly Flag[] = [
  { long: 'all-platforms', type: 'bool', help: 'Copy all that each image has' },
  {
    long: 'jobs',
    short: 'j',
    type: 'int',
    default: DEFAULT_JOBS,
    help: 'Requests at once',
    check: (value) =>
      /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= MOST_JOBS
        ? undefined
        : `must be from 1 to ${MOST_JOBS}`,
  },
  { long: 'list', type: 'bool', help: 'List the images in the folder, and copy none' },
  {
    long: 'password-stdin',
    type: 'bool',
    help: 'Take the password from standard input; $LAYERBOX_PASSWORD does as well',
  },
  { long: 'plain-http', type: 'bool', help: 'Speak http, not https, with every registry' },
  {
    long: 'platform',
    type: 'list',
    typeName: 'os/arch[/variant]',
    help: 'Copy this platform; may be given several times (default linux/386)',
  },
  { long: 'quiet', short: 'q', type: 'bool', help: 'Print the names of the images that were copied alone' },
  { long: 'to', type: 'string', typeName: 'DIR', help: 'The folder; made when it is not there' },
  {
    long: 'username',
    short: 'u',
    type: 'string',
    help: 'The account at the registry; $LAYERBOX_USERNAME does as well',
  },
];

export interface MirrorWords {
  readonly references: readonly Reference[];
  readonly folder: string;
  readonly wanted: WantedPlatforms;
  readonly jobs: number;
  readonly quiet: boolean;
  readonly list: boolean;
  readonly plainHttp: boolean;
  /** Undefined: none was given. */
  readonly username: string | undefined;
  readonly passwordStdin: boolean;
}

/** What the words ask for, or `help`. Errors: Usage, InvalidReference, InvalidPlatform. */
export function parseMirrorWords(argv: readonly string[], env: NodeJS.ProcessEnv): MirrorWords | 'help' {
  const { flags, words, help } = parseCommandLine(argv, { flags: mirrorFlags });
  if (help !== false) return 'help';
  const list = flags.bool('list');
  const folder = flags.string('to');
  if (folder === '') throw new UsageError('"layerbox mirror" needs the folder to copy to: --to DIR');
  if (list && words.length > 0) throw new UsageError('--list takes no images');
  if (!list && words.length === 0)
    throw new UsageError('"layerbox mirror" requires at least 1 argument: an IMAGE');
  const references = distinct(words);
  const given = flags.string('username');
  const username = given === '' ? (env.LAYERBOX_USERNAME ?? '') : given;
  const passwordStdin = flags.bool('password-stdin');
  if (passwordStdin && username === '') throw new UsageError('must provide --username with --password-stdin');
  if (username !== '') requireOneRegistry(references);
  return {
    references,
    folder,
    wanted: wantedOf(flags),
    jobs: flags.int('jobs'),
    quiet: flags.bool('quiet'),
    list,
    plainHttp: flags.bool('plain-http'),
    username: username === '' ? undefined : username,
    passwordStdin,
  };
}

function wantedOf(flags: ParsedFlags): WantedPlatforms {
  const platforms = flags.list('platform');
  if (flags.bool('all-platforms')) {
    if (platforms.length > 0) throw new UsageError('--platform and --all-platforms cannot be used together');
    return 'all';
  }
  return platforms.length === 0 ? [MACHINE_PLATFORM] : platforms.map(parsePlatform);
}

function distinct(words: readonly string[]): readonly Reference[] {
  const references = words.map(parseReference);
  return [...new Map(references.map((reference) => [JSON.stringify(reference), reference])).values()];
}

/** An account is one of one registry: its password must not be shown to another. */
function requireOneRegistry(references: readonly Reference[]): void {
  const registries = [...new Set(references.map(({ registry }) => registry))];
  if (registries.length < 2) return;
  throw new UsageError(
    `an account is for one registry, and these images are in several (${registries.join(', ')}): copy them one registry after the other`,
  );
}
