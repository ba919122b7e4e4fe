/** A host whose links are names in a list: what was asked of it can be read, and nothing is behind it. */

import type {
  BridgeSpec,
  HostNetwork,
  HostProgram,
  LinkSpec,
} from '../../../src/engine/network/host-network.ts';

export class FakeHostNetwork implements HostNetwork {
  readonly namespaces = new Set<string>();
  readonly bridges = new Map<string, BridgeSpec>();
  readonly links = new Map<string, LinkSpec>();
  readonly gateways = new Map<string, string | undefined>();
  readonly files = new Map<string, string>([['/etc/hosts', '127.0.0.1\tlocalhost\n']]);
  readonly programs: FakeHostProgram[] = [];
  /** Ports of the host's that programs of its own have. */
  readonly busyPorts = new Set<number>();

  async makeNamespace(name: string): Promise<void> {
    if (this.namespaces.has(name)) throw new Error(`namespace ${name} is there already`);
    this.namespaces.add(name);
  }

  async removeNamespace(name: string): Promise<void> {
    if (!this.namespaces.delete(name)) throw new Error(`no namespace ${name}`);
  }

  async makeBridge(bridge: BridgeSpec): Promise<void> {
    if (this.bridges.has(bridge.name)) throw new Error(`bridge ${bridge.name} is there already`);
    this.bridges.set(bridge.name, bridge);
  }

  async connect(link: LinkSpec): Promise<void> {
    if (!this.bridges.has(link.bridge)) throw new Error(`no bridge ${link.bridge}`);
    if (!this.namespaces.has(link.namespace)) throw new Error(`no namespace ${link.namespace}`);
    this.links.set(link.hostLink, link);
  }

  async removeLink(name: string): Promise<void> {
    if (!this.links.delete(name) && !this.bridges.delete(name)) throw new Error(`no link ${name}`);
  }

  async setGateway(namespace: string, gateway: string | undefined): Promise<void> {
    this.gateways.set(namespace, gateway);
  }

  async replaceFile(path: string, text: string): Promise<void> {
    this.files.set(path, text);
  }

  async readFile(path: string): Promise<string> {
    return this.files.get(path) ?? '';
  }

  async removeFiles(folder: string): Promise<void> {
    for (const path of [...this.files.keys()]) if (path.startsWith(`${folder}/`)) this.files.delete(path);
  }

  async run(argv: readonly string[], namespace?: string): Promise<HostProgram> {
    const program = new FakeHostProgram(argv, namespace);
    this.programs.push(program);
    const ports = argv.flatMap((word, i) => (word === '-host-port' ? [Number(argv[i + 1])] : []));
    const busy = ports.findIndex((port) => this.busyPorts.has(port));
    if (argv[0]?.endsWith('/resolver') === true) program.say(Uint8Array.of(0, 0, 0xff, 0xff));
    else if (busy < 0) program.say(new TextEncoder().encode('ready\n'));
    else {
      program.say(new TextEncoder().encode(`${busy} 98\n`));
      program.end();
    }
    return program;
  }

  /** Programs of this name that have not been killed, each by its words. */
  running(name: string): readonly string[] {
    return this.programs
      .filter(({ argv, isEnded }) => !isEnded && argv[0]?.endsWith(`/${name}`) === true)
      .map(({ argv }) => argv.slice(1).join(' '));
  }
}

export class FakeHostProgram implements HostProgram {
  readonly argv: readonly string[];
  readonly namespace: string | undefined;
  readonly exit: Promise<{ readonly code: number }>;
  readonly written: Uint8Array[] = [];
  isEnded = false;
  readonly #said: Uint8Array<ArrayBuffer>[] = [];
  #wake: () => void = () => undefined;
  #finish: () => void = () => undefined;

  constructor(argv: readonly string[], namespace: string | undefined) {
    this.argv = argv;
    this.namespace = namespace;
    this.exit = new Promise((resolve) => {
      this.#finish = () => resolve({ code: 137 });
    });
  }

  say(bytes: Uint8Array<ArrayBuffer>): void {
    this.#said.push(bytes);
    this.#wake();
  }

  end(): void {
    this.isEnded = true;
    this.#finish();
    this.#wake();
  }

  get output() {
    return { [Symbol.asyncIterator]: () => this.#read() };
  }

  async *#read() {
    for (;;) {
      const bytes = this.#said.shift();
      if (bytes !== undefined) yield { stream: 'out' as const, bytes };
      else if (this.isEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes);
  }

  signal(): void {
    this.end();
  }
}
