import type { Command, Flag } from '../command.ts';
import type { ParsedFlags } from '../parse.ts';
import { eachContainer } from './each-word.ts';

/** Of stop and restart alike. */
export const STOP_FLAGS: readonly Flag[] = [
  { long: 'signal', short: 's', type: 'string', help: 'Signal to send to the container' },
  { long: 'timeout', short: 't', type: 'int', help: 'Seconds to wait before killing the container' },
];

export function stopOptionsOf(flags: ParsedFlags): { signal?: string; timeout?: number } {
  return {
    ...(flags.given('signal') && { signal: flags.string('signal') }),
    ...(flags.given('timeout') && { timeout: flags.int('timeout') }),
  };
}

export const stop: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Stop one or more running containers',
  aliases: ['docker container stop', 'docker stop'],
  flags: STOP_FLAGS,
  wordCount: { min: 1 },
  run: (invocation) => {
    const options = stopOptionsOf(invocation.flags);
    return eachContainer(invocation, (containers, id) => containers.stop(id, options));
  },
};
