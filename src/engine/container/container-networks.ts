/** Networks as containers use them: who is on which, from the record of a container to what it has while it runs. */

import { LayerboxError } from '../errors.ts';
import type { EventStream } from '../events.ts';
import { printableName } from '../names.ts';
import { checkEndpoint } from '../network/endpoint.ts';
import { bridgeName, isPredefined, type NetworkOptions, type Networks } from '../network/networks.ts';
import type { NetworkedContainer, OpenSandbox, SandboxState } from '../network/sandbox-spec.ts';
import { Sandboxes } from '../network/sandboxes.ts';
import { type ContainerNetwork, type EndpointConfig, networkOf } from '../store/container-network.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { NetworkRecord } from '../store/network-record.ts';
import type { Random } from './container-name.ts';
import type { ContainerRegistry } from './container-registry.ts';
import type { Machine } from './machine.ts';

export interface ContainerNetworksPorts {
  readonly networks: Networks;
  readonly registry: ContainerRegistry;
  /** Undefined: nothing can run. */
  readonly machine: Machine | undefined;
  readonly events: EventStream;
  readonly random: Random;
  readonly onFailure: (error: unknown) => void;
}

/** Addresses at which what is published is at the host's loopback too. */
const LOOPBACK = ['0.0.0.0', '127.0.0.1'];

export class ContainerNetworks {
  readonly networks: Networks;
  readonly #ports: ContainerNetworksPorts;
  readonly #sandboxes: Sandboxes;

  constructor(ports: ContainerNetworksPorts) {
    this.#ports = ports;
    this.networks = ports.networks;
    this.#sandboxes = new Sandboxes({
      networks: ports.networks,
      events: ports.events,
      random: ports.random,
      container: (id) => networked(ports.registry.get(id)),
      onFailure: ports.onFailure,
    });
  }

  /** LayerboxError in Docker's words for an address or alias that a network does not allow. Unknown ones are for the start. */
  check({ endpoints }: ContainerNetwork): void {
    for (const [name, config] of Object.entries(endpoints)) {
      const found = this.networks.list().find((network) => this.#isNamed(name, network));
      if (found !== undefined) checkEndpoint(found, config);
    }
  }

  /** The network that the container's program is to be started in. LayerboxError in Docker's words. */
  async open(machine: Machine, record: ContainerRecord): Promise<OpenSandbox> {
    try {
      return await this.#sandboxes.open(machine.network, networked(record));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const data = error instanceof LayerboxError ? error.data : {};
      const stage = networkOf(record).mode.startsWith('container:')
        ? ''
        : 'failed to set up container networking: ';
      throw new LayerboxError(`${stage}${reason}`, data, { cause: error });
    }
  }

  /** The container has ended. Never rejects. */
  close(id: string): Promise<void> {
    return this.#sandboxes.close(id);
  }

  /** What the container has while it runs. */
  state(id: string): SandboxState | undefined {
    return this.#sandboxes.state(id);
  }

  /** True while a container publishes this TCP port at the host's loopback. */
  isPublished(port: number): boolean {
    return this.#ports.registry
      .list()
      .flatMap(({ id }) => this.state(id)?.ports ?? [])
      .some(
        ({ hostPort, protocol, hostIP }) =>
          hostPort === port && protocol === 'tcp' && LOOPBACK.includes(hostIP),
      );
  }

  /** The containers that are on the network now. */
  on(network: NetworkRecord): readonly string[] {
    return this.#sandboxes.on(network);
  }

  /** The running machine's network, to make and remove bridges on at once; else it is done when a container needs it. */
  get #host() {
    const { machine } = this.#ports;
    return machine?.state.status === 'running' ? machine.network : undefined;
  }

  async create(options: NetworkOptions): Promise<NetworkRecord> {
    const record = await this.networks.create(options);
    this.#emit('create', record);
    const host = this.#host;
    if (host === undefined) return record;
    try {
      await this.#sandboxes.prepare(host, record);
      return record;
    } catch (error) {
      await this.networks.remove(record.id);
      const reason = error instanceof Error ? error.message : String(error);
      throw new LayerboxError(`cannot create bridge ${bridgeName(record)}: ${reason}`, {}, { cause: error });
    }
  }

  /** LayerboxError in Docker's words while containers are on it, and for Docker's own. */
  async remove(network: NetworkRecord): Promise<void> {
    const [first] = this.on(network);
    if (first !== undefined && !isPredefined(network.name)) {
      const endpoint = this.state(first)?.endpoints.find((each) => each.network.id === network.id);
      const name = this.#ports.registry.get(first).name;
      throw new LayerboxError(
        `error while removing network: network ${network.name} has active endpoints (name:${JSON.stringify(name)} id:"${endpoint?.id.slice(0, 12) ?? ''}")`,
        { network: network.name },
      );
    }
    await this.networks.remove(network.id);
    await this.#sandboxes.forget(this.#host, network);
    this.#emit('destroy', network);
  }

  /** Puts a container on a network, now and at each start from now on. LayerboxError in Docker's words. */
  async connect(id: string, network: NetworkRecord, config: EndpointConfig): Promise<void> {
    const record = this.#ports.registry.get(id);
    const { mode, endpoints } = networkOf(record);
    if (network.name === 'host' || mode === 'host') {
      throw new LayerboxError(
        'container cannot be disconnected from host network or connected to host network',
        {
          container: id,
        },
      );
    }
    if (mode.startsWith('container:')) {
      throw new LayerboxError(
        'container sharing network namespace with another container or host cannot be connected to any other network',
        { container: id },
      );
    }
    if (network.name === 'none' || mode === 'none') {
      throw new LayerboxError(
        'container cannot be connected to multiple networks with one of the networks in private (none) mode',
        { container: id },
      );
    }
    if (this.#configured(record, network) !== undefined) {
      throw new LayerboxError(`endpoint with name ${record.name} already exists in network ${network.name}`, {
        container: id,
      });
    }
    checkEndpoint(network, config);
    await this.#sandboxes.connect(id, network, config);
    await this.#ports.registry.setNetwork(id, {
      ...networkOf(record),
      endpoints: { ...endpoints, [network.name]: config },
    });
  }

  /** Takes a container off a network, now and for each start from now on; `force`: also when its links cannot be undone. LayerboxError in Docker's words. */
  async disconnect(id: string, network: NetworkRecord, { force = false } = {}): Promise<void> {
    const record = this.#ports.registry.get(id);
    const settings = networkOf(record);
    if (network.name === 'host') {
      throw new LayerboxError(
        'container cannot be disconnected from host network or connected to host network',
        {
          container: id,
        },
      );
    }
    const key = this.#configured(record, network);
    if (key === undefined) {
      throw new LayerboxError(`container ${id} is not connected to network ${printableName(network.name)}`, {
        container: id,
      });
    }
    try {
      await this.#sandboxes.disconnect(id, network);
    } catch (error) {
      if (!force) throw error;
    }
    const { [key]: _, ...endpoints } = settings.endpoints;
    // with none left it is on the first again when it starts, as with Docker
    const [next = settings.mode] = Object.keys(endpoints);
    const isMode = this.#isNamed(settings.mode, network);
    await this.#ports.registry.setNetwork(id, {
      ...settings,
      endpoints,
      mode: isMode ? next : settings.mode,
    });
  }

  /** The word by which the container's record has the network; undefined: it is not on it. */
  #configured(record: ContainerRecord, network: NetworkRecord): string | undefined {
    return Object.keys(networkOf(record).endpoints).find((name) => this.#isNamed(name, network));
  }

  #isNamed(text: string, network: NetworkRecord): boolean {
    return text === network.name || text === network.id || (text.length >= 12 && network.id.startsWith(text));
  }

  #emit(action: 'create' | 'destroy', { id, name, driver }: NetworkRecord): void {
    this.#ports.events.emit({ type: 'network', action, id, name, attributes: { name, type: driver } });
  }
}

function networked(record: ContainerRecord): NetworkedContainer {
  return { id: record.id, name: record.name, hostname: record.config.hostname, network: networkOf(record) };
}
