/** The volumes as the page lists them: read from `docker system df`, which measures them. */

import type { Sandbox } from '../../rpc/sandbox.ts';

export interface ListedVolume {
  readonly name: string;
  /** How many containers have it. */
  readonly links: number;
  /** As docker writes it: `1.2MB`. */
  readonly size: string;
}

/** By name. Rejects with what docker says. */
export async function listVolumes(sandbox: Pick<Sandbox, 'docker'>): Promise<readonly ListedVolume[]> {
  const { exitCode, stdout, stderr } = await sandbox.docker([
    'system',
    'df',
    '-v',
    '--format',
    '{{range .Volumes}}{{json .Name}} {{.Links}} {{.Size}}\n{{end}}',
  ]);
  if (exitCode !== 0) throw new Error(stderr.trim());
  return stdout
    .split('\n')
    .map((line) => /^"([^"]*)" (\d+) (\S+)$/.exec(line))
    .flatMap((match) =>
      match === null ? [] : [{ name: match[1] ?? '', links: Number(match[2]), size: match[3] ?? '' }],
    );
}
