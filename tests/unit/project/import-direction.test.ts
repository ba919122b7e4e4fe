import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Who may import whom, and itself. What stands for a folder of src/engine is its name alone; its single files (errors,
 * events, names) are open to all. Everything that is no type and crosses another line is a fault of the design.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'src/engine/errors.ts': [],
  'src/engine/events.ts': [],
  'src/engine/names.ts': [],
  'src/engine/turns.ts': [],
  'src/engine/oci': [],
  'src/engine/archive': ['src/engine/oci'],
  'src/engine/layer': ['src/engine/oci', 'src/engine/archive'],
  'src/engine/store': ['src/engine/layer', 'src/engine/oci', 'src/engine/archive'],
  'src/engine/registry': ['src/engine/store', 'src/engine/layer', 'src/engine/oci', 'src/engine/archive'],
  'src/engine/lazy': [
    'src/engine/registry',
    'src/engine/store',
    'src/engine/layer',
    'src/engine/oci',
    'src/engine/archive',
  ],
  'src/engine/unionfs': ['src/engine/store', 'src/engine/layer', 'src/engine/oci', 'src/engine/archive'],
  'src/engine/network': ['src/engine/store', 'src/engine/layer', 'src/engine/oci', 'src/engine/archive'],
  'src/engine/image': [
    'src/engine/lazy',
    'src/engine/registry',
    'src/engine/unionfs',
    'src/engine/store',
    'src/engine/layer',
    'src/engine/oci',
    'src/engine/archive',
  ],
  'src/engine/volume': [
    'src/engine/unionfs',
    'src/engine/store',
    'src/engine/layer',
    'src/engine/oci',
    'src/engine/archive',
  ],
  'src/engine/container': [
    'src/engine/network',
    'src/engine/volume',
    'src/engine/image',
    'src/engine/lazy',
    'src/engine/registry',
    'src/engine/unionfs',
    'src/engine/store',
    'src/engine/layer',
    'src/engine/oci',
    'src/engine/archive',
  ],
  'src/engine/cli': [
    'src/engine/network',
    'src/engine/container',
    'src/engine/volume',
    'src/engine/image',
    'src/engine/lazy',
    'src/engine/registry',
    'src/engine/unionfs',
    'src/engine/store',
    'src/engine/layer',
    'src/engine/oci',
    'src/engine/archive',
  ],
  'src/engine/engine.ts': ['src/engine'],
  'src/storage': ['src/engine'],
  'src/machine': ['src/engine'],
  // a program of its own, for Node
  'src/mirror': ['src/engine'],
  'src/rpc': ['src/engine', 'workers'],
  'src/ui': ['src/rpc'],
  'src/index.ts': ['src/engine', 'src/rpc', 'workers'],
  workers: ['src/engine', 'src/storage', 'src/machine', 'src/rpc', 'codecs'],
};

/** Packages that belong to one part; the engine has none but what computes. */
const packages: Readonly<Record<string, readonly RegExp[]>> = {
  'src/engine': [/^hash-wasm$/, /^pako$/],
  'src/storage': [/^comlink$/, /^idb$/, /^@isomorphic-git\/lightning-fs$/],
  'src/machine': [/^v86(\/|$)/],
  'src/mirror': [/^node:/],
  'src/rpc': [/^comlink$/],
  'src/ui': [/^svelte(\/|$)/, /^@xterm\//, /^paneforge$/],
  'src/index.ts': [],
  workers: [/^comlink$/],
};

const openToAll = new Set([
  'src/engine/errors.ts',
  'src/engine/events.ts',
  'src/engine/names.ts',
  'src/engine/turns.ts',
]);

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|svelte)$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

interface Import {
  readonly from: string;
  readonly to: string;
}

const pattern =
  /(?:^|\n)\s*(?:import|export)\s+(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)|new URL\('(\.[^']+)', import\.meta\.url\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(pattern)].flatMap((match) => {
    const to = match[1] ?? match[2] ?? match[3];
    if (to === undefined) return [];
    return [{ from: file, to: to.startsWith('.') ? relative(root, resolve(root, dirname(file), to)) : to }];
  });
}

const files = [...filesUnder('src'), ...filesUnder('workers')];
const imports = files.flatMap(importsOf);
const isLocal = (to: string) => /^(?:src|workers|public|codecs)(?:\/|$)/.test(to);
const isIn = (path: string, part: string) => path === part || path.startsWith(`${part}/`);
const partOf = (path: string) => Object.keys(allowed).find((part) => isIn(path, part));

describe('imports', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(300);
  });

  it('every file belongs to a part of the table', () => {
    const outside = files.filter((file) => partOf(file) === undefined && !file.endsWith('platform.d.ts'));
    expect(outside).toEqual([]);
  });

  it.each(Object.entries(allowed))('of %s go down only', (part, below) => {
    const wrong = imports
      .filter(({ from, to }) => isIn(from, part) && isLocal(to) && !to.startsWith('public'))
      .filter(({ to }) => !isIn(to, part) && !openToAll.has(to) && !below.some((other) => isIn(to, other)))
      .map(({ from, to }) => `${from} -> ${to}`);
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(packages))('of packages by %s are its own', (part, own) => {
    const wrong = imports
      .filter(({ from, to }) => isIn(from, part) && !isLocal(to))
      .filter(({ to }) => !own.some((name) => name.test(to)))
      .map(({ from, to }) => `${from} -> ${to}`);
    expect(wrong).toEqual([]);
  });

  it('of the page know no worker but by its URL, in one place', () => {
    expect(imports.filter(({ from, to }) => isIn(from, 'src/rpc') && isIn(to, 'workers'))).toEqual([
      { from: 'src/rpc/open.ts', to: 'workers/engine.worker.ts' },
      { from: 'src/rpc/open.ts', to: 'workers/query.worker.ts' },
    ]);
  });

  it('carry the ending of the file', () => {
    expect(imports.filter(({ to }) => isLocal(to) && !/\.(?:ts|svelte|css|wasm)$|^public$/.test(to))).toEqual(
      [],
    );
  });
});
