/** What is asked of the networks for a container that is about to run, and what it is given. */

import type { ContainerNetwork } from '../store/container-network.ts';
import type { NetworkRecord } from '../store/network-record.ts';
import type { PublishedPort } from './published-ports.ts';

/** A container, as the networks see it; asked anew, as its name may change while it runs. */
export interface NetworkedContainer {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  readonly network: ContainerNetwork;
}

/** A file of the host's that is bound into the container. */
export interface NameFile {
  readonly source: string;
  readonly target: string;
}

/** The network that a container's program is started in. */
export interface OpenSandbox {
  /** For the machine: a namespace, or `host`; undefined: the container's own, with `lo` alone. */
  readonly namespace: string | undefined;
  readonly files: readonly NameFile[];
}

/** A container on a network, while it runs. */
export interface EndpointState {
  readonly network: NetworkRecord;
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** `172.18.0.2` */
  readonly address: string;
  /** Bits. */
  readonly prefix: number;
  readonly mac: string;
  /** `''`: the network is internal. */
  readonly gateway: string;
  readonly names: readonly string[];
}

export interface SandboxState {
  readonly endpoints: readonly EndpointState[];
  readonly ports: readonly PublishedPort[];
}
