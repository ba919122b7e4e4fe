import { Attachment } from '../../container/attach.ts';
import { ContainerStateError, UsageError } from '../../errors.ts';
import { attachedEnding } from '../attached-run.ts';
import type { Command } from '../command.ts';
import { DETACH_KEYS_FLAG, detachKeysOf } from '../detach-flag.ts';
import { refusal } from '../refusal.ts';

export const attach: Command = {
  usage: '[OPTIONS] CONTAINER',
  summary: 'Attach local standard input, output, and error streams to a running container',
  aliases: ['docker container attach', 'docker attach'],
  flags: [
    DETACH_KEYS_FLAG,
    { long: 'no-stdin', type: 'bool', help: 'Do not attach STDIN' },
    {
      long: 'sig-proxy',
      type: 'bool',
      default: true,
      help: 'Proxy all received signals to the process',
    },
  ],
  wordCount: { min: 1, max: 1 },
  run: async ({ words, flags, host, stdio, print }) => {
    const { id, config } = host.containers.resolve(words[0] ?? '');
    const stdin = config.openStdin && !flags.bool('no-stdin');
    const attachment = new Attachment(stdio, {
      tty: config.tty,
      stdin,
      proxySignals: flags.bool('sig-proxy'),
      detachKeys: detachKeysOf(flags),
      closesInput: config.attachStdin,
      redraws: true,
    });
    if (config.tty && stdin && host.containers.running(id) !== undefined && !stdio.terminal.stdin) {
      attachment.end();
      throw refusal('the input device is not a TTY');
    }
    try {
      const started = host.containers.attach(id, attachment);
      return await attachedEnding(started, attachment, print);
    } catch (error) {
      attachment.end();
      // these are told by Docker's client itself
      if (!(error instanceof ContainerStateError)) throw error;
      throw new UsageError(error.message, { ...error.data, exitCode: 1, plain: true });
    }
  },
};
