/**
 * The networks of the containers that run. Each has a *sandbox*: a namespace with a link to each of its networks, the
 * files that say who is who, a DNS server once it is on a network that somebody made, and the program that publishes
 * its ports. All of it is made when the container starts and gone when it has ended; what lasts is in the records.
 */

import { LayerboxError } from '../errors.ts';
import type { EventStream } from '../events.ts';
import type { EndpointConfig } from '../store/container-network.ts';
import { NO_ENDPOINT_CONFIG } from '../store/container-network.ts';
import type { NetworkRecord } from '../store/network-record.ts';
import { AddressPool } from './address-pool.ts';
import { type Endpoint, makeEndpoint } from './endpoint.ts';
import type { HostNetwork } from './host-network.ts';
import { formatAddress, macOf, parseAddress, parseSubnet } from './ipv4.ts';
import { hostsFile, resolvConf } from './name-files.ts';
import type { NamedEndpoint } from './name-service.ts';
import { bridgeName, HOST_BINDING, isPredefined, type Networks, subnetOf } from './networks.ts';
import { bindingsOf, HostPorts, type Publication, publish } from './published-ports.ts';
import { Resolver } from './resolver.ts';
import type { NameFile, NetworkedContainer, OpenSandbox, SandboxState } from './sandbox-spec.ts';

export interface SandboxesPorts {
  readonly networks: Networks;
  readonly events: EventStream;
  readonly random: (length: number) => Uint8Array;
  /** As the container is now. NoSuchContainerError. */
  readonly container: (id: string) => NetworkedContainer;
  /** Told of what went wrong where nobody waits. */
  readonly onFailure: (error: unknown) => void;
}

interface Sandbox {
  readonly id: string;
  readonly host: HostNetwork;
  /** As the machine knows it. */
  readonly namespace: string | undefined;
  /** Whose files it has: its own, or those of the container whose network it shares. */
  readonly files: string;
  readonly endpoints: Map<string, Endpoint>;
  publication: Publication | undefined;
  /** The address that ports are published from. */
  publishedFrom: number | undefined;
  resolver: Resolver | undefined;
}

/** The host's side of what is bound into containers. */
const FILES = '/run/layerbox/containers';
export const HOST_NAMESPACE = 'host';

export class Sandboxes {
  readonly #ports: SandboxesPorts;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #pools = new Map<string, AddressPool>();
  readonly #bridges = new Map<string, Promise<void>>();
  readonly #hostPorts = new HostPorts();

  constructor(ports: SandboxesPorts) {
    this.#ports = ports;
  }

  /**
   * Makes the network that the container is to run in. LayerboxError in Docker's words: no such network, an address or
   * a port in use. Nothing is left of it then.
   */
  async open(host: HostNetwork, container: NetworkedContainer): Promise<OpenSandbox> {
    const { id, network } = container;
    await this.close(id);
    const joined = /^container:(.+)$/s.exec(network.mode)?.[1];
    if (joined !== undefined) return this.#join(id, joined);
    const isOwn = network.mode !== 'host' && network.mode !== 'none';
    const namespace = isOwn ? id : network.mode === 'host' ? HOST_NAMESPACE : undefined;
    const sandbox: Sandbox = {
      id,
      host,
      namespace,
      files: id,
      endpoints: new Map(),
      publication: undefined,
      publishedFrom: undefined,
      resolver: undefined,
    };
    this.#sandboxes.set(id, sandbox);
    try {
      const chosen = isOwn ? this.#chosenNetworks(container) : [];
      if (isOwn) await host.makeNamespace(id);
      for (const { record, config } of chosen) await this.#attach(sandbox, record, config);
      await this.#settle(sandbox);
      return { namespace, files: nameFiles(id) };
    } catch (error) {
      await this.close(id);
      throw error;
    }
  }

  /** The container's networks: the one it was made for first, the others by name. NoSuchNetworkError. */
  #chosenNetworks({ network }: NetworkedContainer) {
    const { networks } = this.#ports;
    const first = networks.resolve(network.mode === 'default' ? 'bridge' : network.mode);
    const found = new Map<string, { record: NetworkRecord; config: EndpointConfig }>([
      [first.id, { record: first, config: NO_ENDPOINT_CONFIG }],
    ]);
    const others = Object.entries(network.endpoints).map(([name, config]) => ({
      record: networks.resolve(name),
      config,
    }));
    for (const each of others.sort((a, b) => (a.record.name < b.record.name ? -1 : 1))) {
      found.set(each.record.id, each);
    }
    return [...found.values()];
  }

  /** The network of another container, for as long as that runs. LayerboxError in Docker's words. */
  #join(id: string, other: string): OpenSandbox {
    const sandbox = this.#sandboxes.get(other);
    if (sandbox === undefined) {
      throw new LayerboxError(`cannot join network namespace of a non running container: ${other}`, {
        container: id,
      });
    }
    return { namespace: sandbox.namespace ?? HOST_NAMESPACE, files: nameFiles(sandbox.files) };
  }

  /** The container has ended: addresses and ports are free again. Never rejects. */
  async close(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    this.#sandboxes.delete(id);
    sandbox.publication?.stop();
    sandbox.resolver?.stop();
    const { host, namespace } = sandbox;
    const attempts: Promise<unknown>[] = [];
    for (const endpoint of sandbox.endpoints.values()) {
      this.#pool(endpoint.network).release(endpoint.address);
      this.#emit('disconnect', endpoint.network, id);
      attempts.push(host.removeLink(endpoint.hostLink));
    }
    attempts.push(host.removeFiles(folderOf(id)));
    if (namespace === id) attempts.push(host.removeNamespace(id));
    // what the machine has lost already need not be removed
    await Promise.allSettled(attempts);
  }

  /** Puts a container that runs on one more network. LayerboxError in Docker's words; it is not on it then. */
  async connect(id: string, network: NetworkRecord, config: EndpointConfig): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    await this.#attach(sandbox, network, config);
    try {
      await this.#settle(sandbox);
    } catch (error) {
      // who asked hears of the first failure
      await this.disconnect(id, network).catch(this.#ports.onFailure);
      throw error;
    }
  }

  /** Takes it off, whatever the machine says: it rejects with that, and the address is free all the same. */
  async disconnect(id: string, network: NetworkRecord): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    const endpoint = sandbox?.endpoints.get(network.id);
    if (sandbox === undefined || endpoint === undefined) return;
    sandbox.endpoints.delete(network.id);
    try {
      await sandbox.host.removeLink(endpoint.hostLink);
    } finally {
      this.#pool(network).release(endpoint.address);
      this.#emit('disconnect', network, id);
      await this.#settle(sandbox);
    }
  }

  /** What it has now; undefined while it does not run. */
  state(id: string): SandboxState | undefined {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return undefined;
    return {
      endpoints: [...sandbox.endpoints.values()].map((endpoint) => ({
        network: endpoint.network,
        id: endpoint.id,
        address: formatAddress(endpoint.address),
        prefix: endpoint.prefix,
        mac: endpoint.mac,
        gateway: endpoint.network.internal ? '' : (endpoint.network.gateway ?? ''),
        names: this.#namesOf(sandbox, endpoint),
      })),
      ports: sandbox.publication?.ports ?? [],
    };
  }

  /** The containers that are on the network now. */
  on(network: NetworkRecord): readonly string[] {
    return [...this.#sandboxes.values()].flatMap(({ id, endpoints, namespace }) => {
      const isOnDriver =
        (network.driver === 'host' && namespace === HOST_NAMESPACE) ||
        (network.driver === 'null' && namespace === undefined);
      return endpoints.has(network.id) || isOnDriver ? [id] : [];
    });
  }

  /** Makes the network's bridge on the host, if it is not there. */
  prepare(host: HostNetwork, network: NetworkRecord): Promise<void> {
    if (network.driver !== 'bridge') return Promise.resolve();
    const present = this.#bridges.get(network.id);
    if (present !== undefined) return present;
    const subnet = subnetOf(network);
    const gateway = network.gateway ?? '';
    const made = host.makeBridge({
      name: bridgeName(network),
      mac: macOf(parseAddress(gateway) ?? 0),
      address: `${gateway}/${subnet?.prefix ?? 0}`,
    });
    this.#bridges.set(network.id, made);
    made.catch(() => this.#bridges.delete(network.id));
    return made;
  }

  /** The network is removed: its bridge goes. */
  async forget(host: HostNetwork | undefined, network: NetworkRecord): Promise<void> {
    const made = this.#bridges.get(network.id);
    this.#bridges.delete(network.id);
    this.#pools.delete(network.id);
    if (host === undefined || made === undefined) return;
    await made;
    await host.removeLink(bridgeName(network));
  }

  async #attach(sandbox: Sandbox, network: NetworkRecord, config: EndpointConfig): Promise<void> {
    const { host, id, endpoints } = sandbox;
    await this.prepare(host, network);
    const links = new Set([...endpoints.values()].map(({ link }) => link));
    let number = 0;
    while (links.has(`eth${number}`)) number += 1;
    const ports = { host, random: this.#ports.random };
    const place = { namespace: id, link: `eth${number}` };
    endpoints.set(network.id, await makeEndpoint(ports, network, this.#pool(network), config, place));
    this.#emit('connect', network, id);
  }

  /** What follows from the networks it is on: the way out, the DNS server, the files, the published ports. */
  async #settle(sandbox: Sandbox): Promise<void> {
    const { host, id, namespace, endpoints } = sandbox;
    const container = this.#ports.container(id);
    const gateway = gatewayOf([...endpoints.values()]);
    const isNamed = [...endpoints.values()].some(({ network }) => !isPredefined(network.name));
    if (namespace === id) {
      await host.setGateway(id, gateway?.network.gateway);
      if (isNamed && sandbox.resolver === undefined) {
        sandbox.resolver = await Resolver.start(host, {
          namespace: id,
          endpoints: () => this.#namesAround(sandbox),
          servers: container.network.dns,
          onFailure: this.#ports.onFailure,
        });
      }
    }
    await this.#writeFiles(sandbox, container);
    await this.#publish(sandbox, container, gateway);
  }

  async #writeFiles({ id, host, namespace, endpoints, resolver }: Sandbox, container: NetworkedContainer) {
    const { hostname, network } = container;
    const hosts = hostsFile({
      ...(namespace === HOST_NAMESPACE && { base: await host.readFile('/etc/hosts') }),
      hostname,
      network,
      addresses: [...endpoints.values()].map(({ address }) => formatAddress(address)),
      hostGateway: this.#ports.networks.resolve('bridge').gateway ?? '',
    });
    await host.replaceFile(`${folderOf(id)}/hosts`, hosts);
    await host.replaceFile(`${folderOf(id)}/resolv.conf`, resolvConf(network, resolver !== undefined));
  }

  /** From the address that the way out goes by; again when that has changed. */
  async #publish(
    sandbox: Sandbox,
    container: NetworkedContainer,
    gateway: Endpoint | undefined,
  ): Promise<void> {
    const { host, id } = sandbox;
    if (sandbox.publishedFrom === gateway?.address) return;
    sandbox.publication?.stop();
    sandbox.publication = undefined;
    sandbox.publishedFrom = gateway?.address;
    const bindings = bindingsOf(container.network);
    if (gateway === undefined || bindings.length === 0) return;
    const usual = gateway.network.options[HOST_BINDING] ?? '';
    try {
      sandbox.publication = await publish(
        host,
        this.#hostPorts,
        bindings.map((each) => ({ ...each, hostIP: each.hostIP === '' ? usual : each.hostIP })),
        formatAddress(gateway.address),
        this.#ports.onFailure,
      );
    } catch (error) {
      sandbox.publishedFrom = undefined; // the next change of its networks tries again
      const reason = error instanceof Error ? error.message : String(error);
      throw new LayerboxError(
        `driver failed programming external connectivity on endpoint ${container.name} (${gateway.id}): ${reason}`,
        { container: id },
        { cause: error },
      );
    }
  }

  #namesOf({ id }: Sandbox, { network, config }: Endpoint): readonly string[] {
    if (isPredefined(network.name)) return [];
    const { name, hostname } = this.#ports.container(id);
    return [...new Set([name, ...config.aliases, id.slice(0, 12), hostname])];
  }

  /** Who can be asked for from this sandbox: those on its networks that have names there. */
  #namesAround(sandbox: Sandbox): readonly NamedEndpoint[] {
    const named: NamedEndpoint[] = [];
    for (const other of this.#sandboxes.values()) {
      for (const endpoint of other.endpoints.values()) {
        if (!sandbox.endpoints.has(endpoint.network.id)) continue;
        const names = this.#namesOf(other, endpoint);
        if (names.length > 0)
          named.push({ network: endpoint.network.name, address: endpoint.address, names });
      }
    }
    return named;
  }

  #pool(network: NetworkRecord): AddressPool {
    const present = this.#pools.get(network.id);
    if (present !== undefined) return present;
    const reserved = [network.gateway ?? '', ...Object.values(network.auxAddresses ?? {})];
    const range = network.ipRange === undefined ? undefined : parseSubnet(network.ipRange);
    const pool = new AddressPool(
      subnetOf(network) ?? { base: 0, prefix: 32 },
      range,
      reserved.flatMap((text) => parseAddress(text) ?? []),
    );
    this.#pools.set(network.id, pool);
    return pool;
  }

  #emit(action: 'connect' | 'disconnect', { id, name, driver }: NetworkRecord, container: string): void {
    const attributes = { container, name, type: driver };
    this.#ports.events.emit({ type: 'network', action, id, name, attributes });
  }
}

function folderOf(id: string): string {
  return `${FILES}/${id}`;
}

function nameFiles(id: string): readonly NameFile[] {
  return ['hosts', 'resolv.conf'].map((name) => ({
    source: `${folderOf(id)}/${name}`,
    target: `/etc/${name}`,
  }));
}

/** The endpoint that leads out: of the highest priority, then of the first name. Internal networks lead nowhere. */
function gatewayOf(endpoints: readonly Endpoint[]): Endpoint | undefined {
  const [first] = endpoints
    .filter(({ network }) => !network.internal)
    .sort(
      (a, b) =>
        b.config.gatewayPriority - a.config.gatewayPriority || (a.network.name < b.network.name ? -1 : 1),
    );
  return first;
}
