import { Attachment } from '../../container/attach.ts';
import type { ContainerRecord } from '../../store/container-record.ts';
import { runAttached } from '../attached-run.ts';
import type { Command, Invocation } from '../command.ts';
import { createFromCommandLine } from '../create-container.ts';
import { DETACH_KEYS_FLAG, detachKeysOf } from '../detach-flag.ts';
import { errorText } from '../error-text.ts';
import { attachedStreams, creationFlags, creationOptions, LATER_CREATION_FLAGS } from '../run-flags.ts';

export const run: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create and run a new container from an image',
  aliases: ['docker container run', 'docker run'],
  flags: [
    { long: 'detach', short: 'd', type: 'bool', help: 'Run container in background and print container ID' },
    DETACH_KEYS_FLAG,
    { long: 'sig-proxy', type: 'bool', default: true, help: 'Proxy received signals to the process' },
    ...creationFlags('Pull image before running ("always", "missing", "never")'),
  ],
  later: LATER_CREATION_FLAGS,
  interspersed: false,
  wordCount: { min: 1 },
  failureCode: 125,
  run: async (invocation) => {
    const { flags, host, stdio, print } = invocation;
    const detached = flags.bool('detach');
    const tty = flags.bool('tty');
    const streams = attachedStreams(flags, detached);
    const { stdin } = streams;
    if (detached && flags.given('attach')) {
      await print.error('conflicting options: cannot specify both --attach and --detach');
      return 1;
    }
    if (!detached && tty && stdin && !stdio.terminal.stdin) {
      await print.error('the input device is not a TTY');
      return 1;
    }
    const detachKeys = detachKeysOf(flags);
    const options = await creationOptions(invocation, streams);
    const { record, early } = await createFromCommandLine(invocation, options, { runs: true });
    try {
      if (detached) {
        await host.containers.start(record.id);
        await print.line(record.id);
        return 0;
      }
      const attachment = new Attachment(stdio, {
        tty,
        stdin,
        proxySignals: flags.bool('sig-proxy'),
        detachKeys,
        streams: [...(streams.stdout ? ['out' as const] : []), ...(streams.stderr ? ['err' as const] : [])],
      });
      const isBlind = !streams.stdout && !streams.stderr;
      // as Docker's client: without output the command is like a detached one that passes its input on
      if (isBlind) await print.line(record.id);
      const code = await runAttached(host.containers, record.id, attachment, print);
      const failure = early?.failure();
      if (failure !== undefined) {
        // whoever looks after this command finds no container of an image that will never be here
        await early?.over();
        await print.error(`docker: ${errorText(failure)}`);
      }
      return isBlind ? 0 : code;
    } catch (error) {
      // what never ran has no end at which --rm would remove it
      if (flags.bool('rm') && isThere(invocation, record))
        await host.containers.remove(record.id, { volumes: true });
      throw error;
    }
  },
};

function isThere({ host }: Invocation, record: ContainerRecord): boolean {
  return host.containers.list().some(({ id }) => id === record.id);
}
