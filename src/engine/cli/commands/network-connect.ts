import { printableName } from '../../names.ts';
import { parseAddress } from '../../network/ipv4.ts';
import { NO_ENDPOINT_CONFIG } from '../../store/container-network.ts';
import type { Command } from '../command.ts';
import { refusal } from '../refusal.ts';

export const networkConnect: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Connect a container to a network',
  aliases: [],
  flags: [
    { long: 'alias', type: 'list', typeName: 'strings', help: 'Add network-scoped alias for the container' },
    {
      long: 'gw-priority',
      type: 'int',
      help: 'Highest gw-priority provides the default gateway. Accepts positive and negative values.',
    },
    { long: 'ip', type: 'string', help: 'IPv4 address (e.g., "172.30.100.104")' },
  ],
  later: ['driver-opt=', 'ip6=', 'link=', 'link-local-ip='],
  wordCount: { min: 2, max: 2 },
  run: async ({ words: [network = '', container = ''], flags, host }) => {
    const { containers } = host;
    const address = flags.string('ip');
    if (address !== '' && parseAddress(address) === undefined) {
      throw refusal(`invalid IPv4 address: ${printableName(address)}`);
    }
    await containers.networks.connect(
      containers.resolve(container).id,
      containers.networks.networks.resolve(network),
      {
        ...NO_ENDPOINT_CONFIG,
        aliases: flags.list('alias').flatMap((value) => value.split(',')),
        address,
        gatewayPriority: flags.int('gw-priority'),
      },
    );
    return 0;
  },
};

export const networkDisconnect: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Disconnect a container from a network',
  aliases: [],
  flags: [
    {
      long: 'force',
      short: 'f',
      type: 'bool',
      help: 'Force the container to disconnect from a network',
    },
  ],
  wordCount: { min: 2, max: 2 },
  run: async ({ words: [network = '', container = ''], flags, host }) => {
    const { containers } = host;
    const found = containers.networks.networks.resolve(network);
    await containers.networks.disconnect(containers.resolve(container).id, found, {
      force: flags.bool('force'),
    });
    return 0;
  },
};
