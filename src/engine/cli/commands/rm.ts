import { LayerboxError, NoSuchContainerError } from '../../errors.ts';
import { printableName } from '../../names.ts';
import type { Command } from '../command.ts';
import { errorText } from '../error-text.ts';
import { eachWord } from './each-word.ts';

export const rm: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Remove one or more containers',
  aliases: ['docker container rm', 'docker container remove', 'docker rm'],
  flags: [
    {
      long: 'force',
      short: 'f',
      type: 'bool',
      help: 'Force the removal of a running container (uses SIGKILL)',
    },
    { long: 'link', short: 'l', type: 'bool', help: 'Remove the specified link' },
    {
      long: 'volumes',
      short: 'v',
      type: 'bool',
      help: 'Remove anonymous volumes associated with the container',
    },
  ],
  wordCount: { min: 1 },
  run: (invocation) => {
    const { flags, host } = invocation;
    const force = flags.bool('force');
    const volumes = flags.bool('volumes');
    if (flags.bool('link')) return eachWord(invocation, async (word) => noLink(word));
    return eachWord(invocation, async (word) => {
      try {
        await host.containers.remove(host.containers.resolve(word).id, { force, volumes });
      } catch (error) {
        // with --force what is not there is told of, and is no failure
        if (!(force && error instanceof NoSuchContainerError)) throw error;
        await invocation.print.error(errorText(error));
        return undefined;
      }
      return word;
    });
  },
};

/** Links are Docker's of before networks, and no container here has one (moby, daemon/delete.go, rmLink). */
function noLink(word: string): never {
  const name = word.startsWith('/') ? word : `/${word}`;
  const parent = name.slice(0, name.lastIndexOf('/'));
  throw new LayerboxError(
    parent === ''
      ? 'Conflict, cannot remove the default link name of the container'
      : `Cannot get parent ${printableName(parent)} for link name ${printableName(name)}`,
    { link: word },
  );
}
