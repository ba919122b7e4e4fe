import type { Command } from '../command.ts';
import { eachContainer } from './each-word.ts';

export const pause: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Pause all processes within one or more containers',
  aliases: ['docker container pause', 'docker pause'],
  flags: [],
  wordCount: { min: 1 },
  run: (invocation) => eachContainer(invocation, (containers, id) => containers.pause(id)),
};

export const unpause: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Unpause all processes within one or more containers',
  aliases: ['docker container unpause', 'docker unpause'],
  flags: [],
  wordCount: { min: 1 },
  run: (invocation) => eachContainer(invocation, (containers, id) => containers.unpause(id)),
};
