import { describe, expect, it } from 'vitest';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { buildLayerIndex, type NewEntry } from '../../../src/engine/layer/layer-index-builder.ts';
import { type StackIndex, stackLayers } from '../../../src/engine/layer/stack.ts';
import { compareNames } from '../../../src/engine/names.ts';
import { diffIDOf, entryOf } from '../unionfs/fixture.ts';

function stackOf(...layers: readonly (readonly string[])[]): StackIndex {
  return stackLayers(
    layers.map((lines, number) => {
      const contents: string[] = [];
      return buildLayerIndex(
        diffIDOf(number),
        lines.map((line) => entryOf(line, contents)),
      );
    }),
  );
}

/** `path type layer`, and the path of the canonical name where that is another. */
function linesOf(stack: StackIndex): string[] {
  const lines: string[] = [];
  for (let number = 1; number < stack.count; number++) {
    const canonical = stack.canonical(number);
    const same = canonical === number ? '' : ` = ${stack.path(canonical)}`;
    lines.push(`${stack.path(number)} ${stack.type(number)} ${stack.layer(number)}${same}`);
  }
  return lines.sort();
}

describe('stackLayers', () => {
  const claims: readonly { what: string; layers: readonly (readonly string[])[]; want: readonly string[] }[] =
    [
      { what: 'of nothing is an empty root', layers: [], want: [] },
      {
        what: 'puts a file of an upper layer in place of a lower one',
        layers: [['a = 1', 'b = 1'], ['a = 2']],
        want: ['a file 1', 'b file 0'],
      },
      {
        what: 'merges directories',
        layers: [
          ['d/ 755', 'd/a = 1'],
          ['d/ 700', 'd/b = 2'],
        ],
        want: ['d dir 1', 'd/a file 0', 'd/b file 1'],
      },
      { what: 'leaves out what a whiteout hides', layers: [['a = 1', 'b = 1'], ['-a']], want: ['b file 0'] },
      { what: 'leaves out a whole directory', layers: [['d/a/b = 1'], ['-d']], want: [] },
      {
        what: 'lets a whiteout of nothing be',
        layers: [['a = 1'], ['-b', '-c/d']],
        want: ['a file 0', 'c dir 1'],
      },
      {
        what: 'hides with a whiteout what lies below, not what the same layer brings',
        layers: [['d/a = 1'], ['d/ 755', 'd/b = 2', '-d']],
        want: ['d dir 1', 'd/b file 1'],
      },
      {
        what: 'lets a higher layer bring back what a lower one took away',
        layers: [['a = 1'], ['-a'], ['a = 3']],
        want: ['a file 2'],
      },
      {
        what: 'applies an opaque marker first, wherever it stands',
        layers: [
          ['d/a = 1', 'd/s/x = 1'],
          ['d/b = 2', 'd/s/y = 2', '!d'],
        ],
        want: ['d dir 1', 'd/b file 1', 'd/s dir 1', 'd/s/y file 1'],
      },
      {
        what: 'applies an opaque root',
        layers: [
          ['a = 1', 'd/b = 1'],
          ['!', 'c = 2'],
        ],
        want: ['c file 1'],
      },
      {
        what: 'replaces a directory with a file and a file with a directory',
        layers: [
          ['d/a = 1', 'f = 1'],
          ['d = 2', 'f/ 755', 'f/b = 2'],
        ],
        want: ['d file 1', 'f dir 1', 'f/b file 1'],
      },
      {
        what: 'replaces a symlink with a directory that the layer names',
        layers: [
          ['usr/lib/a = 1', 'lib -> usr/lib'],
          ['lib/ 755', 'lib/b = 2'],
        ],
        want: ['lib dir 1', 'lib/b file 1', 'usr dir 0', 'usr/lib dir 0', 'usr/lib/a file 0'],
      },
      {
        what: 'goes through a lower symlink where the layer only has what is in it',
        layers: [
          ['usr/lib/a = 1', 'usr/lib/c = 1', 'lib -> /usr/lib'],
          ['lib/b = 2', '-lib/c'],
        ],
        want: ['lib symlink 0', 'usr dir 0', 'usr/lib dir 0', 'usr/lib/a file 0', 'usr/lib/b file 1'],
      },
      {
        what: 'keeps a symlink that leads out of the root inside it',
        layers: [['usr/a = 1', 'up -> ../../../usr'], ['up/b = 2']],
        want: ['up symlink 0', 'usr dir 0', 'usr/a file 0', 'usr/b file 1'],
      },
      {
        what: 'makes a directory where a symlink leads nowhere or in a circle',
        layers: [
          ['x -> y', 'y -> x', 'z -> none'],
          ['x/a = 2', 'z/a = 2'],
        ],
        want: ['x dir 1', 'x/a file 1', 'y symlink 0', 'z dir 1', 'z/a file 1'],
      },
      {
        what: 'makes hard links of a lower file one file, and keeps them when its name goes',
        layers: [['a = 1'], ['b => a', 'c => b'], ['-a']],
        want: ['b file 0', 'c file 0 = b'],
      },
      {
        what: 'links to what is there at that time',
        layers: [
          ['a = 1', 'b => a'],
          ['a = 2', 'c => a'],
        ],
        want: ['a file 1', 'b file 0', 'c file 1 = a'],
      },
      {
        what: 'finds the target of a hard link through directories that are symlinks',
        layers: [['usr/a = 1', 'lnk -> usr'], ['b => lnk/a']],
        want: ['b file 0', 'lnk symlink 0', 'usr dir 0', 'usr/a file 0 = b'],
      },
      {
        what: 'links to a symlink itself',
        layers: [['a = 1', 's -> a'], ['t => s']],
        want: ['a file 0', 's symlink 0', 't symlink 0 = s'],
      },
    ];
  it.each(claims)('$what', ({ layers, want }) => {
    expect(linesOf(stackOf(...layers))).toEqual(want);
  });

  it.each([
    { what: 'to what is not there', layers: [['a = 1'], ['b => gone']] },
    { what: 'to what was hidden', layers: [['a = 1'], ['-a', 'b => a']] },
    { what: 'to a directory', layers: [['d/ 755'], ['b => d']] },
    { what: 'to what a symlink would lead to outside', layers: [['s -> ../../etc'], ['b => s/passwd']] },
  ])('refuses a hard link $what, naming both', ({ layers }) => {
    const link = layers[1]?.at(-1)?.split(' => ') ?? [];
    expect(() => stackOf(...layers)).toThrow(CorruptLayerError);
    expect(() => stackOf(...layers)).toThrow(`hard link "${link[0]}" to "${link[1]}"`);
  });

  it('gives the metadata of the topmost layer that names a directory', () => {
    const stack = stackOf(['d/ 700', 'e/x = 1'], ['d/a = 2'], ['e/ 711']);
    const modes = ['d', 'e'].map((path) => stack.mode(stack.find(path) ?? -1).toString(8));
    expect(modes).toEqual(['700', '711']);
    const root = [stack.mode(0), stack.uid(0), stack.gid(0), stack.mtimeNs(0)];
    expect(root).toEqual([0o755, 0, 0, 0n]);
  });

  it('counts names and subdirectories', () => {
    const stack = stackOf(['d/a = 1', 'd/b => d/a', 'd/s/ 755', 'd/t/ 755', 'e/c => d/a', 'e/d = 2']);
    const nlink = (path: string) => stack.nlink(stack.find(path) ?? -1);
    expect([nlink(''), nlink('d'), nlink('d/s'), nlink('e/c'), nlink('e/d')]).toEqual([4, 4, 2, 3, 1]);
    expect(stack.names(stack.canonical(stack.find('e/c') ?? -1)).map((n) => stack.path(n))).toEqual([
      'd/a',
      'd/b',
      'e/c',
    ]);
    expect([stack.count, stack.files]).toEqual([9, 7]);
  });

  it('sorts children bytewise and finds each, whatever bytes are in a name', () => {
    const names = ['\u{1f600}', '\uff5e', '\udcff', 'a', 'a-b', 'a.b', 'é', 'zz'];
    const stack = stackOf(names.map((name) => `d/${name} = x`));
    const d = stack.find('d') ?? -1;
    const found: string[] = [];
    for (let n = stack.firstChild(d); n < stack.endChild(d); n++) {
      found.push(stack.name(n));
      expect(stack.child(d, stack.name(n))).toBe(n);
    }
    expect(found).toEqual([...names].sort(compareNames));
    expect(stack.child(d, 'a-')).toBeUndefined();
    expect(stack.child(d, '')).toBeUndefined();
  });

  it('keeps devices, times that are too far away, and where content is', () => {
    const far: NewEntry = {
      path: 'far',
      type: 'file',
      mode: 0o4755,
      uid: 4294967294,
      gid: 7,
      mtimeNs: 10n ** 24n,
      size: 5_000_000_000,
      offset: 9_000_000_512,
    };
    const null_: NewEntry = {
      path: 'null',
      type: 'char',
      mode: 0o666,
      uid: 0,
      gid: 0,
      mtimeNs: -1n,
      rdev: [1, 3],
    };
    const stack = stackLayers([buildLayerIndex(diffIDOf(1), [far, null_])]);
    const at = stack.find('far') ?? -1;
    expect([stack.mode(at), stack.uid(at), stack.gid(at)]).toEqual([0o4755, 4294967294, 7]);
    expect([stack.size(at), stack.offset(at), stack.mtimeNs(at)]).toEqual([
      5_000_000_000,
      9_000_000_512,
      2n ** 63n - 1n,
    ]);
    const device = stack.find('null') ?? -1;
    expect([stack.rdev(device), stack.mtimeNs(device), stack.rdev(at)]).toEqual([[1, 3], -1n, [0, 0]]);
  });

  it('merges 40 layers of 2,500 files and a tree deeper than calls can nest', () => {
    const layers = Array.from({ length: 40 }, (_, layer) =>
      buildLayerIndex(
        diffIDOf(layer),
        Array.from({ length: 2500 }, (_, file) => entryOf(`d${file % 50}/l${layer}-${file} = x`, [])),
      ),
    );
    const stack = stackLayers(layers);
    expect(stack.files).toBe(100_051);
    const deep = entryOf(`${'d/'.repeat(20_000)}f = x`, []);
    expect(stackLayers([buildLayerIndex(diffIDOf(1), [deep])]).count).toBe(20_002);
  });
});
