/** What `docker inspect` says of networks, and of the network of a container: the fields of Docker's API. */

import { parseAddress } from '../network/ipv4.ts';
import type { Networks } from '../network/networks.ts';
import type { EndpointState, SandboxState } from '../network/sandbox-spec.ts';
import { type ContainerNetwork, type EndpointConfig, networkOf } from '../store/container-network.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { NetworkRecord } from '../store/network-record.ts';
import { formatTimestamp } from './timestamp.ts';

type Document = Readonly<Record<string, unknown>>;

/** A container on the network, now. */
export interface InspectedMember {
  readonly container: string;
  readonly name: string;
  readonly endpoint: EndpointState | undefined;
}

export function inspectNetwork(record: NetworkRecord, members: readonly InspectedMember[]): Document {
  const { subnet, gateway, ipRange, auxAddresses } = record;
  const block = {
    Subnet: subnet,
    ...(ipRange !== undefined && { IPRange: ipRange }),
    Gateway: gateway,
    ...(auxAddresses !== undefined && { AuxiliaryAddresses: auxAddresses }),
  };
  return {
    Name: record.name,
    Id: record.id,
    Created: formatTimestamp(record.createdAt),
    Scope: 'local',
    Driver: record.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: {
      Driver: 'default',
      Options: record.ipamOptions ?? null,
      Config: subnet === undefined ? null : [block],
    },
    Internal: record.internal,
    Attachable: record.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      members.map(({ container, name, endpoint }) => [
        container,
        {
          Name: name,
          EndpointID: endpoint?.id ?? '',
          MacAddress: endpoint?.mac ?? '',
          IPv4Address: endpoint === undefined ? '' : `${endpoint.address}/${endpoint.prefix}`,
          IPv6Address: '',
        },
      ]),
    ),
    Options: record.options,
    Labels: record.labels,
  };
}

/** `NetworkSettings` of a container; `state` while it runs. */
export function networkSettings(
  record: ContainerRecord,
  networks: Networks,
  state: SandboxState | undefined,
): Document {
  const network = networkOf(record);
  const onBridge = state?.endpoints.find((endpoint) => endpoint.network.name === 'bridge');
  return {
    Bridge: '',
    SandboxID: state === undefined ? '' : record.id,
    SandboxKey: '',
    Ports: state === undefined ? {} : portsDocument(network, state),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: onBridge?.id ?? '',
    Gateway: onBridge?.gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: onBridge?.address ?? '',
    IPPrefixLen: onBridge?.prefix ?? 0,
    IPv6Gateway: '',
    MacAddress: onBridge?.mac ?? '',
    Networks: Object.fromEntries(attachmentsOf(network, networks, state)),
  };
}

/** `80/tcp` with where it is published, or null. */
function portsDocument({ exposed }: ContainerNetwork, { ports }: SandboxState): Document {
  const entries = exposed.map((name): [string, unknown] => {
    const published = ports.filter((port) => `${port.containerPort}/${port.protocol}` === name);
    const bindings = published.map(({ hostIP, hostPort }) => ({
      HostIp: hostIP,
      HostPort: String(hostPort),
    }));
    return [name, bindings.length === 0 ? null : bindings];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The networks by name: those it is on now, or is to be on when it starts. */
function attachmentsOf(
  network: ContainerNetwork,
  networks: Networks,
  state: SandboxState | undefined,
): readonly (readonly [string, Document])[] {
  const { mode } = network;
  const isShared = mode === 'host' || mode === 'none';
  const configured = isShared ? [mode] : Object.keys(network.endpoints);
  return configured.map((word) => {
    const found = networks.list().find(({ id, name }) => name === word || id === word || id.startsWith(word));
    const endpoint = state?.endpoints.find((each) => each.network.id === found?.id);
    const name = found?.name ?? word;
    return [name, endpointDocument(network.endpoints[word], found, endpoint)] as const;
  });
}

function endpointDocument(
  config: EndpointConfig | undefined,
  network: NetworkRecord | undefined,
  endpoint: EndpointState | undefined,
): Document {
  const { aliases = [], address = '', gatewayPriority = 0 } = config ?? {};
  const names = endpoint?.names ?? [];
  return {
    IPAMConfig: address === '' || parseAddress(address) === undefined ? null : { IPv4Address: address },
    Links: null,
    Aliases: aliases.length === 0 ? null : aliases,
    MacAddress: endpoint?.mac ?? config?.mac ?? '',
    DriverOpts: null,
    GwPriority: gatewayPriority,
    NetworkID: network?.id ?? '',
    EndpointID: endpoint?.id ?? '',
    Gateway: endpoint?.gateway ?? '',
    IPAddress: endpoint?.address ?? '',
    IPPrefixLen: endpoint?.prefix ?? 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: names.length === 0 ? null : names,
  };
}

/** The part of `HostConfig` that is about the network. */
export function hostConfigOfNetwork(record: ContainerRecord): Document {
  const { mode, ports, publishAll, dns, dnsOptions, dnsSearch, extraHosts } = networkOf(record);
  const bindings = new Map<string, { HostIp: string; HostPort: string }[]>();
  for (const { containerPort, protocol, hostIP, hostPorts } of ports) {
    const name = `${containerPort}/${protocol}`;
    const { first, last } = hostPorts ?? { first: 0, last: 0 };
    const HostPort = hostPorts === undefined ? '' : first === last ? String(first) : `${first}-${last}`;
    bindings.set(name, [...(bindings.get(name) ?? []), { HostIp: hostIP, HostPort }]);
  }
  return {
    NetworkMode: mode,
    PortBindings: Object.fromEntries(bindings),
    PublishAllPorts: publishAll,
    Dns: dns,
    DnsOptions: dnsOptions,
    DnsSearch: dnsSearch,
    ExtraHosts: extraHosts.length === 0 ? null : extraHosts,
  };
}

/** `ExposedPorts` of `Config`; undefined: none. */
export function exposedPorts(record: ContainerRecord): Document | undefined {
  const { exposed } = networkOf(record);
  return exposed.length === 0 ? undefined : Object.fromEntries([...exposed].sort().map((name) => [name, {}]));
}
