/** A container's network mode, settled when it is made: whose network it shares, and what that does not go with. */

import { LayerboxError } from '../errors.ts';
import type { ContainerNetwork } from '../store/container-network.ts';
import type { ContainerRecord } from '../store/container-record.ts';

/** Of the machine's host side. */
const HOST_NAME = 'host';

export interface SettledNetwork {
  readonly network: ContainerNetwork;
  /** The host name that comes with the network; undefined: the container's own. */
  readonly hostname?: string;
}

/**
 * `container:NAME` as `container:ID`, with that container's host name; `host` with the host's. LayerboxError in the
 * words of Docker's daemon (runconfig/errors.go) for options that a shared network cannot have; NoSuchContainerError.
 */
export function settleNetwork(
  network: ContainerNetwork,
  hostname: string | undefined,
  resolve: (text: string) => ContainerRecord,
): SettledNetwork {
  const { mode } = network;
  if (mode === 'host') return { network, ...(hostname === undefined && { hostname: HOST_NAME }) };
  if (!mode.startsWith('container:')) return { network };
  const name = mode.slice('container:'.length);
  if (name === '') throw new LayerboxError('invalid container format container:<name|id>');
  const conflicts: readonly (readonly [string, boolean])[] = [
    ['hostname and the network mode', hostname !== undefined],
    ['dns and the network mode', network.dns.length > 0],
    ['custom host-to-IP mapping and the network mode', network.extraHosts.length > 0],
    ['port publishing and the container type network mode', network.ports.length > 0 || network.publishAll],
    ['port exposing and the container type network mode', network.exposed.length > 0],
  ];
  const conflict = conflicts.find(([, isThere]) => isThere);
  if (conflict !== undefined) throw new LayerboxError(`conflicting options: ${conflict[0]}`);
  const other = resolve(name);
  return { network: { ...network, mode: `container:${other.id}` }, hostname: other.config.hostname };
}
