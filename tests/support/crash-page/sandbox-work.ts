/** What a sandbox without a machine does until it is killed: images come and go, and so do containers. */

import type { Sandbox } from '../../../src/rpc/sandbox.ts';
import { reported, reportedAll } from './reported.ts';

async function docker(sandbox: Sandbox, ...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await sandbox.docker(argv);
  if (exitCode !== 0) throw new Error(`docker ${argv.join(' ')} ended with ${exitCode}: ${stderr}${stdout}`);
  return stdout;
}

/** Pulls each of the images that is not here and removes each that is, in turn; in each third turn all of them at once. */
export async function imageWork(
  sandbox: Sandbox,
  references: readonly string[],
  from: number,
): Promise<never> {
  for (let turn = from; ; turn += 1) {
    if (turn % 3 === 0) {
      await reportedAll('prune', references, () => docker(sandbox, 'image', 'prune', '-a', '-f'));
    }
    for (const reference of references) {
      const isHere = (await docker(sandbox, 'images', '-q', reference)) !== '';
      if (isHere) await reported('rmi', reference, () => docker(sandbox, 'rmi', reference));
      else await reported('pull', reference, () => docker(sandbox, 'pull', '-q', reference));
    }
  }
}

/** Makes containers of an image, commits them, and removes most of them and of what they were committed to. */
export async function containerWork(sandbox: Sandbox, image: string, from: number): Promise<never> {
  for (let number = from; ; number += 1) {
    const name = `c${number}`;
    await reported('create', name, () => docker(sandbox, 'create', '--name', name, image));
    const made = `made/${name}`;
    await reported('commit', made, () => docker(sandbox, 'commit', name, made));
    if (number % 3 === 0) continue;
    await reported('rm', name, () => docker(sandbox, 'rm', name));
    await reported('rmi', made, () => docker(sandbox, 'rmi', made));
  }
}
