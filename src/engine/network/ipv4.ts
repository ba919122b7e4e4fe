/** Addresses of IPv4 as unsigned 32-bit numbers, and the blocks they come in (RFC 4632). */

export interface Subnet {
  readonly base: number;
  /** Bits. */
  readonly prefix: number;
}

/** The number of `172.17.0.2`; undefined when it is none in dotted decimal, without leading zeros. */
export function parseAddress(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let address = 0;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** `172.18.0.0/16`, with the address as it stands; undefined when it is none. */
export function parseCIDR(text: string): { readonly address: number; readonly prefix: number } | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(text.slice(0, Math.max(0, slash)));
  const bits = text.slice(slash + 1);
  if (address === undefined || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return undefined;
  return { address, prefix: Number(bits) };
}

/** The block that `text` names; undefined for text that is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const parsed = parseCIDR(text);
  return parsed === undefined ? undefined : blockOf(parsed.address, parsed.prefix);
}

/** The block of this size that the address is in. */
export function blockOf(address: number, prefix: number): Subnet {
  const size = sizeOf({ base: 0, prefix });
  return { base: Math.floor(address / size) * size, prefix };
}

export function formatSubnet({ base, prefix }: Subnet): string {
  return `${formatAddress(base)}/${prefix}`;
}

/** How many addresses, the first and the last included. */
export function sizeOf({ prefix }: Subnet): number {
  return 2 ** (32 - prefix);
}

export function contains(subnet: Subnet, address: number): boolean {
  return address >= subnet.base && address < subnet.base + sizeOf(subnet);
}

export function overlap(a: Subnet, b: Subnet): boolean {
  return contains(a, b.base) || contains(b, a.base);
}

/** A MAC address of one's own choice (the second bit of the first byte), the same for the same address. */
export function macOf(address: number): string {
  const bytes = [0x02, 0x42, ...[24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
