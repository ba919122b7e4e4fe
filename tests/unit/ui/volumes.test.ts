import { expect, it } from 'vitest';
import { listVolumes } from '../../../src/ui/storage/volumes.ts';
import { openWithBusybox } from '../container/sandbox.ts';

it('the page lists volumes with who has them and what they take', async () => {
  const sandbox = await openWithBusybox({ withoutMachine: true });
  const page = {
    docker: async (argv: readonly string[]) => {
      const { code, out, err } = await sandbox.docker(argv);
      return { exitCode: code, stdout: out, stderr: err };
    },
  };
  expect(await listVolumes(page)).toEqual([]);
  await sandbox.docker('volume create empty');
  await sandbox.docker('create --name one -v data:/etc busybox');
  expect(await listVolumes(page)).toEqual([
    { name: 'data', links: 1, size: expect.stringMatching(/^[1-9][\d.]*k?B$/) },
    { name: 'empty', links: 0, size: '0B' },
  ]);
});
