import { parseRestartPolicy } from '../../container/restart-policy.ts';
import type { Command } from '../command.ts';
import { limitFlags, limitsOf } from '../limit-flags.ts';
import { refusal } from '../refusal.ts';
import { eachContainer } from './each-word.ts';

const FLAGS = [
  ...limitFlags('Swap limit equal to memory plus swap: -1 to enable unlimited swap'),
  { long: 'restart', type: 'string', help: 'Restart policy to apply when a container exits' } as const,
];

export const update: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Update configuration of one or more containers',
  aliases: ['docker container update', 'docker update'],
  flags: FLAGS,
  later: ['blkio-weight=', 'cpu-rt-period=', 'cpu-rt-runtime=', 'cpuset-cpus=', 'cpuset-mems='],
  wordCount: { min: 1 },
  run: async (invocation) => {
    const { flags } = invocation;
    if (!FLAGS.some(({ long }) => flags.given(long))) {
      throw refusal('you must provide one or more flags when using this command');
    }
    const limits = limitsOf(flags);
    const policy = flags.string('restart');
    return eachContainer(invocation, async (containers, id) => {
      const restart = policy === '' ? undefined : parseRestartPolicy(policy);
      await containers.update(id, { limits, ...(restart !== undefined && { restart }) });
    });
  },
};
