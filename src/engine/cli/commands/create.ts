import type { Command } from '../command.ts';
import { createFromCommandLine } from '../create-container.ts';
import { attachedStreams, creationFlags, creationOptions, LATER_CREATION_FLAGS } from '../run-flags.ts';

export const create: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create a new container',
  aliases: ['docker container create', 'docker create'],
  // the stray bar is in Docker's help too
  flags: creationFlags('Pull image before creating ("always", "|missing", "never")'),
  later: LATER_CREATION_FLAGS,
  interspersed: false,
  wordCount: { min: 1 },
  usageFailureCode: 125,
  run: async (invocation) => {
    const { flags, print } = invocation;
    const options = await creationOptions(invocation, attachedStreams(flags, false));
    const { record } = await createFromCommandLine(invocation, options, { runs: false });
    await print.line(record.id);
    return 0;
  },
};
