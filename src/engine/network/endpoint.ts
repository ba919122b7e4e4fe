/** A container's place on a network: its address, and the pair of links that leads there. */

import { LayerboxError } from '../errors.ts';
import { hexOf } from '../oci/digest.ts';
import type { EndpointConfig } from '../store/container-network.ts';
import type { NetworkRecord } from '../store/network-record.ts';
import type { AddressPool } from './address-pool.ts';
import type { HostNetwork } from './host-network.ts';
import { contains, formatAddress, macOf, parseAddress } from './ipv4.ts';
import { bridgeName, subnetOf } from './networks.ts';

export interface Endpoint {
  readonly network: NetworkRecord;
  readonly id: string;
  readonly config: EndpointConfig;
  readonly address: number;
  readonly prefix: number;
  readonly mac: string;
  /** In the container: `eth0`. */
  readonly link: string;
  /** At the bridge: `veth1f2e3d4`. */
  readonly hostLink: string;
}

export interface EndpointPorts {
  readonly host: HostNetwork;
  readonly random: (length: number) => Uint8Array;
}

/** Takes an address and makes the links. LayerboxError in Docker's words; nothing is left then. */
export async function makeEndpoint(
  { host, random }: EndpointPorts,
  network: NetworkRecord,
  pool: AddressPool,
  config: EndpointConfig,
  place: { readonly namespace: string; readonly link: string },
): Promise<Endpoint> {
  const prefix = subnetOf(network)?.prefix ?? 0;
  const address = pool.take(config.address === '' ? undefined : parseAddress(config.address));
  const endpoint: Endpoint = {
    network,
    id: hexOf(random(32)),
    config,
    address,
    prefix,
    mac: config.mac === '' ? macOf(address) : config.mac,
    link: place.link,
    hostLink: `veth${hexOf(random(4)).slice(0, 7)}`,
  };
  try {
    await host.connect({
      namespace: place.namespace,
      hostLink: endpoint.hostLink,
      bridge: bridgeName(network),
      name: endpoint.link,
      mac: endpoint.mac,
      address: `${formatAddress(address)}/${prefix}`,
    });
    return endpoint;
  } catch (error) {
    pool.release(address);
    throw error;
  }
}

/** LayerboxError in Docker's words for an address or alias that the network does not allow. */
export function checkEndpoint(network: NetworkRecord, { address, aliases }: EndpointConfig): void {
  const refuse = (reason: string) => {
    throw new LayerboxError(
      `invalid config for network ${network.name}: invalid endpoint settings:\n${reason}`,
      {
        network: network.name,
      },
    );
  };
  const isOwn = ['bridge', 'host', 'none'].includes(network.name);
  if (isOwn && aliases.length > 0) {
    refuse('network-scoped alias is supported only for containers in user defined networks');
  }
  if (address === '') return;
  const wanted = parseAddress(address);
  if (isOwn) refuse('user specified IP address is supported on user defined networks only');
  if (!network.isSubnetChosen) {
    refuse(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  }
  const subnet = subnetOf(network);
  if (wanted === undefined || subnet === undefined || !contains(subnet, wanted)) {
    refuse(`no configured subnet contains IP address ${address}`);
  }
}
