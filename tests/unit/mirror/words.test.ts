import { describe, expect, it } from 'vitest';
import { parseMirrorWords } from '../../../src/mirror/mirror-options.ts';

const parse = (line: string, env: NodeJS.ProcessEnv = {}) => parseMirrorWords(line.split(' '), env);

describe('layerbox mirror', () => {
  it('copies linux/386 of each image once, four requests at a time', () => {
    expect(parse('--to images busybox ghcr.io/org/app:1 docker.io/library/busybox:latest')).toEqual({
      references: [
        { registry: 'docker.io', repository: 'library/busybox', tag: 'latest' },
        { registry: 'ghcr.io', repository: 'org/app', tag: '1' },
      ],
      folder: 'images',
      wanted: [{ os: 'linux', architecture: '386' }],
      jobs: 4,
      quiet: false,
      list: false,
      plainHttp: false,
      username: undefined,
      passwordStdin: false,
    });
  });

  it.each<[string, object]>([
    ['--to x --all-platforms a', { wanted: 'all' }],
    [
      '--to x --platform linux/arm/v7 --platform=amd64 a',
      {
        wanted: [
          { os: 'linux', architecture: 'arm', variant: 'v7' },
          { os: 'linux', architecture: 'amd64' },
        ],
      },
    ],
    ['a --to x -q -j8', { jobs: 8, quiet: true }],
    ['--to x --plain-http a', { plainHttp: true }],
    ['--to x -u bob --password-stdin a b', { username: 'bob', passwordStdin: true }],
    ['--list --to x', { list: true, references: [] }],
  ])('%s', (line, words) => {
    expect(parse(line)).toMatchObject(words);
  });

  it('takes the name of the account from the environment', () => {
    expect(parse('--to x a', { LAYERBOX_USERNAME: 'eve' })).toMatchObject({ username: 'eve' });
    expect(parse('--to x -u bob a', { LAYERBOX_USERNAME: 'eve' })).toMatchObject({ username: 'bob' });
  });

  it.each([
    ['busybox', 'needs the folder to copy to: --to DIR'],
    ['--to x', 'requires at least 1 argument: an IMAGE'],
    ['--to', 'flag needs an argument: --to'],
    ['--too x a', 'unknown flag: --too'],
    // a password among the words can be read by all who see the list of processes
    ['--to x -u bob --password secret a', 'unknown flag: --password'],
    ['--to x --password-stdin a', 'must provide --username with --password-stdin'],
    ['--to x -u bob a ghcr.io/b/c', 'these images are in several (docker.io, ghcr.io)'],
    ['--to x --platform linux/386 --all-platforms a', 'cannot be used together'],
    ['--to x --platform nothing a', 'unknown operating system or architecture'],
    ['--to x --jobs 0 a', 'invalid argument "0" for "-j, --jobs" flag: must be from 1 to 64'],
    ['--to x --jobs 65 a', 'must be from 1 to 64'],
    ['--to x --jobs many a', 'strconv.ParseInt'],
    ['--to x Busybox', 'repository name (library/Busybox) must be lowercase'],
    ['--to x a:b:c', 'invalid reference format'],
    ['--list --to x a', '--list takes no images'],
  ])('%s is refused', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });

  it('shows its help for --help, whatever else is said', () => {
    expect(parse('--help')).toBe('help');
    expect(parse('--to x -h')).toBe('help');
  });
});
