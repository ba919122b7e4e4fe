import type { Command } from '../command.ts';
import { DOCKER_HUB, serverName } from '../server-name.ts';

export const logout: Command = {
  usage: '[SERVER]',
  summary: 'Log out from a registry.\nIf no server is specified, the default is defined by the daemon.',
  aliases: [],
  flags: [],
  wordCount: { min: 0, max: 1 },
  run: async ({ words, host, print }) => {
    const server = serverName(words[0] ?? '');
    await host.registries.logout(server);
    const shown = server === DOCKER_HUB ? 'https://index.docker.io/v1/' : server;
    await print.line(`Removing login credentials for ${shown}`);
    return 0;
  },
};
