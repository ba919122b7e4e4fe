/** A sandbox in which everything that somebody else may write says something that a terminal would obey. */

import { LayerTree } from '../../../images/layer-tree.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { openSandbox, type TestSandbox } from '../container/sandbox.ts';
import { MadeUpImages } from '../image/made-up-sandbox.ts';
import { MadeUpWeb } from '../registry/made-up-registry.ts';

/** Colours, a title, a clear screen, C1's CSI and OSC, overprinting, a backspace, a bell, a line and a column of its own, bidi overrides, DEL. */
export const HOSTILE =
  'a\x1b[31mred\x1b]0;title\x07\x1b[2J\x9b31m\x9d0;t\x9c\rover\x08\x0b\x0cx\nnew line\tcolumn\u202eright\u2066left\x7f\x85end';

/** The same as one word: what a name of a label may be. */
export const HOSTILE_WORD = 'k\x1b[31m\x9b2J\r\u202ey';

/** What no table may hold: controls but line feeds, C1, DEL, and what turns the order of a line around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
export const DANGEROUS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** Text of so many characters. */
export const LONG = 'long '.repeat(20_000);

const HOST = 'localhost:5000';

const programs: Record<string, ProgramCode> = {
  sleep: async (program) => 128 + (await program.killed),
  // files whose names say it
  litter: async ({ root }) => {
    if (root === undefined) return 1;
    for (const name of [HOSTILE, HOSTILE_WORD, '\udcff\udc9b31m', 'plain']) {
      root.create(root.root, name, 0o644, { uid: 0, gid: 0 });
    }
    return 0;
  },
  say: async ({ out, err }) => {
    await out(`${HOSTILE}\n`);
    await err(`${HOSTILE}\n`);
    return 0;
  },
  // processes whose words and names say it, as proc(5) has them
  bash: async ({ out }) => {
    const stat = (name: string) =>
      `101 (${name}) S 1 101 101 0 -1 0 0 0 0 0 12 34 0 0 20 0 1 0 500 1048576 64`;
    const fields = ['65.00', stat(HOSTILE), '0', '2', 'sleep', HOSTILE, stat(HOSTILE), '1000', '0'];
    await out(fields.map((field) => `${field}\0`).join(''));
    return 0;
  },
};

/** An image, containers, a volume and a network of it. */
export async function openHostile(): Promise<TestSandbox> {
  const registry = new MadeUpImages('app');
  const web = new MadeUpWeb().host(`http://${HOST}/`, registry.answer);
  const layer = registry.layer('content');
  registry.image([layer], {
    tags: ['latest'],
    more: {
      author: HOSTILE,
      config: {
        User: '',
        Env: ['PATH=/bin', `HOSTILE=${HOSTILE}`],
        Cmd: ['sleep', HOSTILE],
        WorkingDir: '/',
        Labels: { [HOSTILE_WORD]: HOSTILE, plain: HOSTILE },
        OnBuild: [HOSTILE],
        Shell: ['sh', HOSTILE],
      },
      history: [
        { created: '2024-01-01T00:00:00Z', created_by: HOSTILE, comment: HOSTILE, author: HOSTILE },
        { created: '2024-01-01T00:00:00Z', created_by: LONG, comment: LONG, empty_layer: true },
      ],
    },
  });
  const sandbox = await openSandbox({ programs, fetch: web.fetch });
  const lines: readonly (readonly string[])[] = [
    ['pull', '-q', `${HOST}/app`],
    ['volume', 'create', '--label', `${HOSTILE_WORD}=${HOSTILE}`, 'store'],
    ['network', 'create', '--label', `${HOSTILE_WORD}=${HOSTILE}`, '-o', `${HOSTILE_WORD}=${HOSTILE}`, 'net'],
    [
      ...[
        'run',
        '-d',
        '--name',
        'web',
        '--network',
        'net',
        '--network-alias',
        HOSTILE_WORD,
        '-v',
        'store:/store',
      ],
      ...['--label', `${HOSTILE_WORD}=${HOSTILE}`, '--label', `long=${LONG}`, '-e', `HOSTILE=${HOSTILE}`],
      ...['--health-cmd', HOSTILE, '--health-interval', '1h'],
      ...[`${HOST}/app`, 'sleep', HOSTILE],
    ],
    ['run', '--name', 'litterer', '--entrypoint', 'litter', `${HOST}/app`, LONG],
  ];
  for (const line of lines) {
    sandbox.clock.now += 1000;
    const { code, err } = await sandbox.docker(line);
    if (code !== 0) throw new Error(`docker ${line.slice(0, 3).join(' ')}: ${code} ${err}`);
  }
  await sandbox.docker(['run', '--name', 'sayer', '--entrypoint', 'say', `${HOST}/app`]);
  return sandbox;
}

/** A tar of one file whose name says it. */
export function hostileTar(): Uint8Array {
  return new LayerTree().file(HOSTILE, 'content').tar();
}
