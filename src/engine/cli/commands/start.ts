import { Attachment } from '../../container/attach.ts';
import { printableName } from '../../names.ts';
import { runAttached } from '../attached-run.ts';
import type { Command, Invocation } from '../command.ts';
import { DETACH_KEYS_FLAG, detachKeysOf } from '../detach-flag.ts';
import { refusal } from '../refusal.ts';
import { eachWord } from './each-word.ts';

export const start: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Start one or more stopped containers',
  aliases: ['docker container start', 'docker start'],
  flags: [
    { long: 'attach', short: 'a', type: 'bool', help: 'Attach STDOUT/STDERR and forward signals' },
    DETACH_KEYS_FLAG,
    { long: 'interactive', short: 'i', type: 'bool', help: "Attach container's STDIN" },
  ],
  later: ['checkpoint=', 'checkpoint-dir='],
  wordCount: { min: 1 },
  run: async (invocation) => {
    const { words, flags, host, print } = invocation;
    if (flags.bool('attach') || flags.bool('interactive')) return startAttached(invocation);
    const failed: string[] = [];
    const code = await eachWord(invocation, async (word) => {
      try {
        await host.containers.start(host.containers.resolve(word).id);
      } catch (error) {
        failed.push(printableName(word));
        throw error;
      }
      return word;
    });
    if (failed.length > 0 && words.length > 0)
      await print.error(`Error: failed to start containers: ${failed.join(', ')}`);
    return code;
  },
};

async function startAttached({ words, flags, host, stdio, print }: Invocation): Promise<number> {
  const [word = '', ...others] = words;
  if (others.length > 0) {
    throw refusal('you cannot start and attach multiple containers at once');
  }
  const { id, config } = host.containers.resolve(word);
  const attachment = new Attachment(stdio, {
    tty: config.tty,
    stdin: flags.bool('interactive') && config.openStdin,
    proxySignals: true,
    detachKeys: detachKeysOf(flags),
    closesInput: config.attachStdin,
  });
  return runAttached(host.containers, id, attachment, print);
}
