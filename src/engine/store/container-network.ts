/** What was asked for of a container's network: plain data, part of its record. */

export interface ContainerNetwork {
  /** `bridge`, `host`, `none`, `container:<id>`, or the name or ID of a network, as it was given. */
  readonly mode: string;
  /** What to connect it to at its start, by the name or ID of the network. */
  readonly endpoints: Readonly<Record<string, EndpointConfig>>;
  readonly ports: readonly PortBinding[];
  /** Publish every port that is exposed. */
  readonly publishAll: boolean;
  /** `80/tcp`: of the image and of the command line. */
  readonly exposed: readonly string[];
  /** `name:address`. */
  readonly extraHosts: readonly string[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly domainname: string;
}

export interface EndpointConfig {
  readonly aliases: readonly string[];
  /** `''`: one that is free. */
  readonly address: string;
  /** `''`: made from the address. */
  readonly mac: string;
  /** The network with the highest is the way to all that is elsewhere. */
  readonly gatewayPriority: number;
}

export type PortProtocol = 'tcp' | 'udp';

export interface PortBinding {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  /** `''`: as the network has it, which is all addresses. */
  readonly hostIP: string;
  /** The first free one of these; undefined: any. */
  readonly hostPorts?: { readonly first: number; readonly last: number };
}

export const NO_ENDPOINT_CONFIG: EndpointConfig = { aliases: [], address: '', mac: '', gatewayPriority: 0 };

/** Containers from before there were networks have none. */
const NONE: ContainerNetwork = {
  mode: 'none',
  endpoints: {},
  ports: [],
  publishAll: false,
  exposed: [],
  extraHosts: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  domainname: '',
};

/** What a container has when nothing else is said. */
export const DEFAULT_CONTAINER_NETWORK: ContainerNetwork = {
  ...NONE,
  mode: 'bridge',
  endpoints: { bridge: NO_ENDPOINT_CONFIG },
};

/** The network of a record, which older ones lack. */
export function networkOf(record: { readonly network?: ContainerNetwork }): ContainerNetwork {
  return { ...NONE, ...record.network };
}
