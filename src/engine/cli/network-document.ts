/** A network as `docker network inspect` has it. */

import { inspectNetwork } from '../container/network-inspection.ts';
import { NoSuchNetworkError } from '../errors.ts';
import type { DockerHost } from './docker-host.ts';
import { NETWORK_TYPE } from './inspect-types.ts';
import type { InspectedKind } from './inspected-objects.ts';

export function networkDocument({ containers }: DockerHost, word: string): unknown {
  const { networks } = containers;
  const record = networks.networks.resolve(word);
  const members = networks.on(record).map((container) => ({
    container,
    name: containers.get(container).name,
    endpoint: networks.state(container)?.endpoints.find((endpoint) => endpoint.network.id === record.id),
  }));
  return inspectNetwork(record, members);
}

export const NETWORK: InspectedKind = {
  name: 'network',
  type: NETWORK_TYPE,
  find: async (host, word) => networkDocument(host, word),
  isMissing: (error) => error instanceof NoSuchNetworkError,
};
