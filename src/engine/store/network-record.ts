/** What is remembered of a network: plain data, kept by the record store. */

/** `null` is Docker's word for the driver of the network `none`. */
export type NetworkDriver = 'bridge' | 'host' | 'null';

export interface NetworkRecord {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly driver: NetworkDriver;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** `172.18.0.0/16`; of a bridge. */
  readonly subnet?: string;
  /** `172.18.0.1`: the host's own address on the bridge. */
  readonly gateway?: string;
  /** The part of the subnet that addresses are given out of; undefined: all of it. */
  readonly ipRange?: string;
  /** Addresses that are never given out, by the names that were given for them. */
  readonly auxAddresses?: Readonly<Record<string, string>>;
  /** Somebody chose the subnet: addresses in it may be asked for. */
  readonly isSubnetChosen: boolean;
  /** No way out of it but to its own containers, and no ports are published from it. */
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly ipamOptions?: Readonly<Record<string, string>>;
}
