/**
 * The network port: what the machine's host can do with links and namespaces. A *namespace* is a network of its own
 * with `lo` alone; a *bridge* joins the links that are put to it, and has an address of the host's; a container's link
 * is one end of a pair whose other end is at a bridge.
 */

export interface HostNetwork {
  makeNamespace(name: string): Promise<void>;
  /** It is gone with the last process in it, and the links in it are. */
  removeNamespace(name: string): Promise<void>;
  makeBridge(bridge: BridgeSpec): Promise<void>;
  connect(link: LinkSpec): Promise<void>;
  /** A link of the host's; of a pair both ends go. */
  removeLink(name: string): Promise<void>;
  /** The way to all that has no better one; undefined: none. */
  setGateway(namespace: string, gateway: string | undefined): Promise<void>;
  /** The whole file of the host's anew, in place: where it is bound into a container, that sees it. */
  replaceFile(path: string, text: string): Promise<void>;
  readFile(path: string): Promise<string>;
  /** The folder and the files in it. */
  removeFiles(folder: string): Promise<void>;
  /** Runs a program of the host's; in its own network, or in the namespace. */
  run(argv: readonly string[], namespace?: string): Promise<HostProgram>;
}

export interface BridgeSpec {
  readonly name: string;
  readonly mac: string;
  /** `172.17.0.1/16` */
  readonly address: string;
}

export interface LinkSpec {
  readonly namespace: string;
  /** The end at the bridge. */
  readonly hostLink: string;
  readonly bridge: string;
  /** The end in the namespace. */
  readonly name: string;
  readonly mac: string;
  /** `172.17.0.2/16` */
  readonly address: string;
}

export interface HostProgram {
  readonly exit: Promise<{ readonly code: number }>;
  readonly output: AsyncIterable<{ readonly stream: 'out' | 'err'; readonly bytes: Uint8Array<ArrayBuffer> }>;
  write(bytes: Uint8Array): Promise<void>;
  signal(number: number): void;
}
