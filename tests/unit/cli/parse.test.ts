import { describe, expect, it } from 'vitest';
import type { Flag } from '../../../src/engine/cli/command.ts';
import { parseCommandLine } from '../../../src/engine/cli/parse.ts';
import { NotYetError } from '../../../src/engine/errors.ts';

const flags: readonly Flag[] = [
  { long: 'all', short: 'a', type: 'bool', help: '' },
  { long: 'interactive', short: 'i', type: 'bool', help: '' },
  { long: 'tty', short: 't', type: 'bool', help: '' },
  { long: 'env', short: 'e', type: 'list', help: '' },
  { long: 'name', short: 'n', type: 'string', default: 'unnamed', help: '' },
  { long: 'last', type: 'int', default: -1, help: '' },
];

/** argv, then what was given as `flag=value`, then the words. */
const rows: readonly (readonly [string, string, string])[] = [
  ['-it x', 'interactive tty', 'x'],
  ['-i -t x', 'interactive tty', 'x'],
  ['x -i y', 'interactive', 'x y'],
  ['--all x', 'all', 'x'],
  ['--all=false x', '', 'x'],
  ['-a=true x', 'all', 'x'],
  ['-a=0 x', '', 'x'],
  ['-e A=1 -e B=2 x', 'env=A=1,B=2', 'x'],
  ['-eA=1 x', 'env=A=1', 'x'],
  ['-e=A=1 x', 'env=A=1', 'x'],
  ['-ite A=1 x', 'env=A=1 interactive tty', 'x'],
  ['--name one --name=two x', 'name=two', 'x'],
  ['--name -x y', 'name=-x', 'y'],
  ['--last 5', 'last=5', ''],
  ['-- -a --name', '', '-a --name'],
  ['- x', '', '- x'],
];

function parsed(line: string, interspersed?: boolean): [string, string] {
  const { flags: given, words } = parseCommandLine(line.split(' '), {
    flags,
    ...(interspersed !== undefined && { interspersed }),
  });
  const parts = [
    ...['all'].filter((name) => given.bool(name)),
    ...(given.list('env').length > 0 ? [`env=${given.list('env').join(',')}`] : []),
    ...['interactive'].filter((name) => given.bool(name)),
    ...(given.given('last') ? [`last=${given.int('last')}`] : []),
    ...(given.given('name') ? [`name=${given.string('name')}`] : []),
    ...['tty'].filter((name) => given.bool(name)),
  ];
  return [parts.join(' '), words.join(' ')];
}

describe('parseCommandLine', () => {
  it.each(rows)('%s', (line, given, words) => {
    expect(parsed(line)).toEqual([given, words]);
  });

  it('stops at the first word where another program begins', () => {
    expect(parsed('-i sh -t -e A', false)).toEqual(['interactive', 'sh -t -e A']);
    expect(parsed('-i -- -t', false)).toEqual(['interactive', '-t']);
  });

  it('knows defaults', () => {
    const given = parseCommandLine([], { flags }).flags;
    expect([given.string('name'), given.int('last'), given.bool('all')]).toEqual(['unnamed', -1, false]);
  });

  it('refuses by name what is to come, after it has read its value', () => {
    const later = ['publish/p=', 'init'];
    expect(() => parseCommandLine(['-p', '80:80', 'x'], { flags, later })).toThrow(NotYetError);
    expect(() => parseCommandLine(['--init', 'x'], { flags, later })).toThrow('the flag --init is not yet');
    expect(() => parseCommandLine(['-p'], { flags, later })).toThrow("flag needs an argument: 'p' in -p");
  });
});
