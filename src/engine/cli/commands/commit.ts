import { commitContainer } from '../../container/committing.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Command } from '../command.ts';

export const commit: Command = {
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  summary: "Create a new image from a container's changes",
  aliases: ['docker container commit', 'docker commit'],
  flags: [
    {
      long: 'author',
      short: 'a',
      type: 'string',
      help: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")',
    },
    {
      long: 'change',
      short: 'c',
      type: 'list',
      help: 'Apply Dockerfile instruction to the created image',
    },
    { long: 'message', short: 'm', type: 'string', help: 'Commit message' },
    { long: 'pause', short: 'p', type: 'bool', default: true, help: 'Pause container during commit' },
  ],
  wordCount: { min: 1, max: 2 },
  run: async ({ words, flags, host, stdio, print }) => {
    const [container = '', name] = words;
    const reference = name === undefined || name === '' ? undefined : parseReference(name);
    const record = host.containers.resolve(container);
    const image = await commitContainer(host, record, {
      ...(reference !== undefined && { reference }),
      author: flags.string('author'),
      message: flags.string('message'),
      changes: flags.list('change'),
      pause: flags.bool('pause'),
      signal: stdio.signal,
    });
    await print.line(image.imageID);
    return 0;
  },
};
