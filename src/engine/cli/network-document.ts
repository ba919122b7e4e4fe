/** A network as `docker network inspect` has it. */

import { inspectNetwork } from '../container/network-inspection.ts';
import { NoSuchNetworkError } from '../errors.ts';
import type { DockerHost } from './docker-host.ts';
import { type GoType, list, map, struct } from './go-types.ts';
import type { InspectedKind } from './inspected-objects.ts';

/** moby, api/types/network: Inspect. */
const NETWORK_TYPE: GoType = struct('network.Inspect', {
  Name: '',
  'ID=Id': '',
  Created: '',
  Scope: '',
  Driver: '',
  EnableIPv4: false,
  EnableIPv6: false,
  IPAM: struct('network.IPAM', {
    Driver: '',
    Options: map(),
    Config: list(
      struct('network.IPAMConfig', {
        Subnet: '',
        IPRange: '',
        Gateway: '',
        'AuxAddress=AuxiliaryAddresses': map(),
      }),
    ),
  }),
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: struct('network.ConfigReference', { Network: '' }),
  ConfigOnly: false,
  Containers: map(
    struct('network.EndpointResource', {
      Name: '',
      EndpointID: '',
      MacAddress: '',
      IPv4Address: '',
      IPv6Address: '',
    }),
  ),
  Options: map(),
  Labels: map(),
});

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
