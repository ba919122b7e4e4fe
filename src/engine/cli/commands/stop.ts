import type { Command } from '../command.ts';
import { eachWord } from './each-word.ts';

export const stop: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Stop one or more running containers',
  aliases: ['docker container stop', 'docker stop'],
  flags: [
    { long: 'signal', short: 's', type: 'string', help: 'Signal to send to the container' },
    { long: 'timeout', short: 't', type: 'int', help: 'Seconds to wait before killing the container' },
  ],
  wordCount: { min: 1 },
  run: (invocation) => {
    const { flags, host } = invocation;
    const options = {
      ...(flags.given('signal') && { signal: flags.string('signal') }),
      ...(flags.given('timeout') && { timeout: flags.int('timeout') }),
    };
    return eachWord(invocation, async (word) => {
      await host.containers.stop(host.containers.resolve(word).id, options);
      return word;
    });
  },
};
