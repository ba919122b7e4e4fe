/** The networks that there are: made, found and removed. They are records; what runs on them is sandboxes.ts's. */

import { LayerboxError, NoSuchNetworkError } from '../errors.ts';
import { printableName } from '../names.ts';
import { hexOf } from '../oci/digest.ts';
import type { NetworkDriver, NetworkRecord } from '../store/network-record.ts';
import type { RecordStore } from '../store/records.ts';
import { defaultGateway, freeSubnet } from './address-pool.ts';
import {
  contains,
  formatAddress,
  formatSubnet,
  overlap,
  parseAddress,
  parseCIDR,
  parseSubnet,
  type Subnet,
} from './ipv4.ts';

export interface NetworkOptions {
  readonly name: string;
  /** `bridge`, or `''` for the same. */
  readonly driver: string;
  readonly subnet?: string;
  readonly gateway?: string;
  readonly ipRange?: string;
  readonly auxAddresses?: Readonly<Record<string, string>>;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly ipamOptions: Readonly<Record<string, string>>;
}

export interface NetworksPorts {
  readonly records: RecordStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
}

const PREDEFINED: readonly { readonly name: string; readonly driver: NetworkDriver }[] = [
  { name: 'bridge', driver: 'bridge' },
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
];

/** The address that ports are published at when none is named. */
export const HOST_BINDING = 'com.docker.network.bridge.host_binding_ipv4';

const DEFAULT_BRIDGE_OPTIONS = {
  'com.docker.network.bridge.default_bridge': 'true',
  'com.docker.network.bridge.enable_icc': 'true',
  'com.docker.network.bridge.enable_ip_masquerade': 'true',
  [HOST_BINDING]: '0.0.0.0',
  'com.docker.network.bridge.name': 'docker0',
  'com.docker.network.driver.mtu': '1500',
};

/** Drivers that Docker brings, and Layerbox does not. */
const OTHER_DRIVERS = ['host', 'ipvlan', 'macvlan', 'none', 'null', 'overlay'];

export class Networks {
  readonly #ports: NetworksPorts;
  readonly #records = new Map<string, NetworkRecord>();

  private constructor(ports: NetworksPorts) {
    this.#ports = ports;
  }

  /** All that is stored; bridge, host and none are made where they are missing. */
  static async open(ports: NetworksPorts): Promise<Networks> {
    const networks = new Networks(ports);
    for (const record of await ports.records.list('networks')) networks.#records.set(record.id, record);
    for (const { name, driver } of PREDEFINED) {
      if (networks.#named(name) === undefined) await networks.#add(networks.#predefined(name, driver));
    }
    return networks;
  }

  #predefined(name: string, driver: NetworkDriver): NetworkRecord {
    const addresses = driver === 'bridge' ? { subnet: '172.17.0.0/16', gateway: '172.17.0.1' } : {};
    return {
      id: hexOf(this.#ports.random(32)),
      name,
      driver,
      createdAt: this.#ports.now(),
      ...addresses,
      isSubnetChosen: false,
      internal: false,
      attachable: false,
      labels: {},
      options: driver === 'bridge' ? DEFAULT_BRIDGE_OPTIONS : {},
    };
  }

  /** By name. */
  list(): readonly NetworkRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  has(id: string): boolean {
    return this.#records.has(id);
  }

  /**
   * By whole ID, by name, by the beginning of an ID, in this order. NoSuchNetworkError; LayerboxError when a beginning
   * fits several.
   */
  resolve(text: string): NetworkRecord {
    const exact = this.#records.get(text) ?? this.#named(text);
    if (exact !== undefined) return exact;
    const matches = /^[0-9a-f]+$/.test(text) ? this.list().filter(({ id }) => id.startsWith(text)) : [];
    const [first] = matches;
    if (first === undefined) {
      throw new NoSuchNetworkError(`network ${printableName(text)} not found`, { network: text });
    }
    if (matches.length === 1) return first;
    throw new LayerboxError(`network ${text} is ambiguous (${matches.length} matches found on ID prefix)`, {
      network: text,
    });
  }

  /** A new bridge network. LayerboxError in Docker's words for what cannot be. */
  async create(options: NetworkOptions): Promise<NetworkRecord> {
    const { name, driver } = options;
    checkName(name);
    if (isPredefined(name)) {
      throw new LayerboxError(`operation is not permitted on predefined ${name} network`, { network: name });
    }
    checkDriver(driver);
    checkOptions(options.options);
    if (this.#named(name) !== undefined) {
      throw new LayerboxError(`network with name ${name} already exists`, { network: name });
    }
    const used = this.list().flatMap((record) => subnetOf(record) ?? []);
    const subnet = chosenSubnet(options) ?? freeSubnet(used);
    if (used.some((other) => overlap(other, subnet))) {
      throw new LayerboxError('invalid pool request: Pool overlaps with other one on this address space', {
        subnet: formatSubnet(subnet),
      });
    }
    const range = chosenRange(options, subnet);
    const gateway = chosenGateway(options, subnet) ?? defaultGateway(subnet, range);
    return this.#add({
      id: hexOf(this.#ports.random(32)),
      name,
      driver: 'bridge',
      createdAt: this.#ports.now(),
      subnet: formatSubnet(subnet),
      gateway: formatAddress(gateway),
      ...(options.ipRange !== undefined && { ipRange: options.ipRange }),
      ...(options.auxAddresses !== undefined && { auxAddresses: options.auxAddresses }),
      isSubnetChosen: options.subnet !== undefined,
      internal: options.internal,
      attachable: options.attachable,
      labels: options.labels,
      options: options.options,
      ipamOptions: options.ipamOptions,
    });
  }

  /** Forgets it. LayerboxError for one of Docker's own. */
  async remove(id: string): Promise<void> {
    const record = this.resolve(id);
    if (isPredefined(record.name)) {
      throw new LayerboxError(`${record.name} is a pre-defined network and cannot be removed`, {
        network: record.name,
      });
    }
    await this.#ports.records.commit([{ kind: 'networks', delete: record.id }]);
    this.#records.delete(record.id);
  }

  async #add(record: NetworkRecord): Promise<NetworkRecord> {
    // taken before the store answers, so that two of one name at the same time are one too many
    this.#records.set(record.id, record);
    try {
      await this.#ports.records.commit([{ kind: 'networks', put: record }]);
      return record;
    } catch (error) {
      this.#records.delete(record.id);
      throw error;
    }
  }

  #named(name: string): NetworkRecord | undefined {
    return this.list().find((record) => record.name === name);
  }
}

export function isPredefined(name: string): boolean {
  return PREDEFINED.some((each) => each.name === name);
}

/** The link of the host's that is a network's bridge. */
export function bridgeName({ name, id, options }: NetworkRecord): string {
  return (
    options['com.docker.network.bridge.name'] ?? (name === 'bridge' ? 'docker0' : `br-${id.slice(0, 12)}`)
  );
}

/** The block of a bridge network. */
export function subnetOf(record: NetworkRecord): Subnet | undefined {
  return record.subnet === undefined ? undefined : parseSubnet(record.subnet);
}

const NAME = '^[\\w]+[\\w-. ]*[\\w]+$';

function checkName(name: string): void {
  if (/^[\w]+[\w\-. ]*[\w]+$|^\w$/.test(name)) return;
  throw new LayerboxError(
    `invalid network name: ${JSON.stringify(name)} includes invalid characters, resource name has to conform to "${NAME}"`,
    { network: name },
  );
}

function checkDriver(driver: string): void {
  if (driver === '' || driver === 'bridge') return;
  throw new LayerboxError(
    OTHER_DRIVERS.includes(driver)
      ? `the network driver "${driver}" is not supported by Layerbox: use bridge`
      : `could not find plugin ${printableName(driver)} in v1 plugin registry: plugin not found`,
    { driver },
  );
}

/** Options of Docker's bridge driver that have an effect here. What is not Docker's is kept, as Docker keeps it. */
const BRIDGE_OPTIONS = ['com.docker.network.bridge.name', HOST_BINDING];

function checkOptions(options: Readonly<Record<string, string>>): void {
  const other = Object.keys(options).find(
    (name) => name.startsWith('com.docker.') && !BRIDGE_OPTIONS.includes(name),
  );
  if (other !== undefined) {
    throw new LayerboxError(`the network option ${printableName(other)} is not supported by Layerbox`, {
      option: other,
    });
  }
  const address = options[HOST_BINDING];
  if (address !== undefined && parseAddress(address) === undefined) {
    throw new LayerboxError(`invalid default binding IP address: ${printableName(address)}`, { address });
  }
}

/** Undefined: none was asked for. */
function chosenSubnet({ subnet: text }: NetworkOptions): Subnet | undefined {
  if (text === undefined) return undefined;
  const parsed = parseCIDR(text);
  const subnet = parseSubnet(text);
  if (parsed === undefined || subnet === undefined) {
    throw new LayerboxError(
      `invalid subnet ${printableName(text)}: it should be an IPv4 block like 10.1.0.0/16`,
      {
        subnet: text,
      },
    );
  }
  if (parsed.address !== subnet.base) {
    throw new LayerboxError(`invalid subnet ${text}: it should be ${formatSubnet(subnet)}`, { subnet: text });
  }
  // the host's address, a container's, and the two that are nobody's
  if (subnet.prefix < 8 || subnet.prefix > 30) {
    throw new LayerboxError(`invalid subnet ${text}: its prefix must be from 8 to 30`, { subnet: text });
  }
  return subnet;
}

function chosenRange({ ipRange: text }: NetworkOptions, subnet: Subnet): Subnet | undefined {
  if (text === undefined) return undefined;
  const range = parseSubnet(text);
  const parsed = parseCIDR(text);
  if (range === undefined || parsed === undefined) {
    throw new LayerboxError(`invalid ip-range ${printableName(text)}: invalid CIDR block notation`, {
      ipRange: text,
    });
  }
  if (range.base !== parsed.address) {
    throw new LayerboxError(`invalid ip-range ${text}: it should be ${formatSubnet(range)}`, {
      ipRange: text,
    });
  }
  if (!contains(subnet, range.base) || range.prefix < subnet.prefix) {
    throw new LayerboxError(`invalid ip-range ${text}: parent subnet is ${formatSubnet(subnet)}`, {
      ipRange: text,
    });
  }
  return range;
}

function chosenGateway({ gateway: text }: NetworkOptions, subnet: Subnet): number | undefined {
  if (text === undefined) return undefined;
  const gateway = parseAddress(text);
  if (gateway === undefined) {
    throw new LayerboxError(`invalid gateway ${printableName(text)}: invalid address`, { gateway: text });
  }
  if (contains(subnet, gateway)) return gateway;
  throw new LayerboxError(`invalid gateway ${text}: parent subnet is ${formatSubnet(subnet)}`, {
    gateway: text,
  });
}
