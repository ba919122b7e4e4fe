/** Which subnets networks get, and which addresses in them containers get. */

import { LayerboxError } from '../errors.ts';
import { blockOf, contains, formatAddress, overlap, type Subnet, sizeOf } from './ipv4.ts';

const DEFAULT_BLOCKS: readonly { readonly within: Subnet; readonly prefix: number }[] = [
  // 172.17 to 172.31, then sixteen of 192.168: as Docker's daemon has them
  ...Array.from({ length: 15 }, (_, i) => ({
    within: { base: (172 * 256 + 17 + i) * 65536, prefix: 16 },
    prefix: 16,
  })),
  { within: { base: (192 * 256 + 168) * 65536, prefix: 16 }, prefix: 20 },
];

/** The first of Docker's default subnets that overlaps none in use. LayerboxError in Docker's words. */
export function freeSubnet(used: readonly Subnet[]): Subnet {
  for (const { within, prefix } of DEFAULT_BLOCKS) {
    for (let base = within.base; contains(within, base); base += sizeOf({ base, prefix })) {
      const subnet = { base, prefix };
      if (!used.some((other) => overlap(other, subnet))) return subnet;
    }
  }
  throw new LayerboxError('all predefined address pools have been fully subnetted');
}

/** The addresses of one network: the lowest free one is given out first, as Docker does. */
export class AddressPool {
  readonly #subnet: Subnet;
  readonly #range: Subnet;
  readonly #taken = new Set<number>();

  constructor(subnet: Subnet, range: Subnet | undefined, reserved: readonly number[]) {
    this.#subnet = subnet;
    this.#range = range ?? subnet;
    // the network's own and its broadcast address; a block of two or one has neither (RFC 3021)
    if (subnet.prefix < 31) {
      this.#taken.add(subnet.base).add(subnet.base + sizeOf(subnet) - 1);
    }
    for (const address of reserved) this.#taken.add(address);
  }

  /** Undefined: any. LayerboxError in Docker's words when it is taken, or none is left. */
  take(wanted?: number): number {
    if (wanted !== undefined) {
      if (!contains(this.#subnet, wanted) || this.#taken.has(wanted)) {
        throw new LayerboxError('Address already in use', { address: formatAddress(wanted) });
      }
      this.#taken.add(wanted);
      return wanted;
    }
    const end = this.#range.base + sizeOf(this.#range);
    for (let address = this.#range.base; address < end; address += 1) {
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      return address;
    }
    throw new LayerboxError("no available IPv4 addresses on this network's address pools");
  }

  release(address: number): void {
    this.#taken.delete(address);
  }
}

/** The host's own address where none was chosen: the first of the range, or of the subnet. */
export function defaultGateway(subnet: Subnet, range: Subnet | undefined): number {
  const { base, prefix } = range ?? subnet;
  return prefix >= 31 || base !== blockOf(subnet.base, subnet.prefix).base ? base : base + 1;
}
