/** The network port on the guest: links and namespaces by the agent's controls, programs of the host side. */

import type { Connection, Process, SpawnSpec } from '../engine/container/machine.ts';
import type { BridgeSpec, HostNetwork, HostProgram, LinkSpec } from '../engine/network/host-network.ts';
import type { Word } from './protocol.ts';

export interface GuestNetworkPorts {
  /** FsError with the errno that the agent gave. */
  readonly control: (op: string, ...words: readonly Word[]) => Promise<string>;
  readonly spawn: (spec: SpawnSpec) => Promise<Process>;
}

const ENVIRONMENT = ['PATH=/usr/bin:/bin:/usr/sbin:/sbin'];
const SIGKILL = 9;

export class GuestNetwork implements HostNetwork {
  readonly #ports: GuestNetworkPorts;

  constructor(ports: GuestNetworkPorts) {
    this.#ports = ports;
  }

  async makeNamespace(name: string): Promise<void> {
    await this.#ports.control('network', ['name', name]);
  }

  async removeNamespace(name: string): Promise<void> {
    await this.#ports.control('removenetwork', ['name', name]);
  }

  async makeBridge({ name, mac, address }: BridgeSpec): Promise<void> {
    await this.#ports.control('bridge', ['name', name], ['mac', mac], ['address', address]);
  }

  async connect({ namespace, hostLink, bridge, name, mac, address }: LinkSpec): Promise<void> {
    await this.#ports.control(
      'connect',
      ['network', namespace],
      ['host', hostLink],
      ['bridge', bridge],
      ['name', name],
      ['mac', mac],
      ['address', address],
    );
  }

  async removeLink(name: string): Promise<void> {
    await this.#ports.control('removelink', ['name', name]);
  }

  async setGateway(namespace: string, gateway: string | undefined): Promise<void> {
    await this.#ports.control('route', ['network', namespace], ['gateway', gateway ?? '']);
  }

  async replaceFile(path: string, text: string): Promise<void> {
    await this.#ports.control('file', ['path', path], ['value', text]);
  }

  readFile(path: string): Promise<string> {
    return this.#ports.control('read', ['path', path]);
  }

  async removeFiles(folder: string): Promise<void> {
    await this.#ports.control('removefiles', ['path', folder]);
  }

  run(argv: readonly string[], namespace?: string): Promise<HostProgram> {
    return this.#ports.spawn(hostProgram(argv, namespace));
  }
}

/** A connection to a TCP port of the host side's loopback: the host's `nc` makes it, and its streams are the bytes. */
export async function dial(port: number, spawn: GuestNetworkPorts['spawn']): Promise<Connection> {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new RangeError(`A TCP port is a number from 1 to 65535, not ${port}.`);
  }
  const program = await spawn(hostProgram(['nc', '127.0.0.1', String(port)]));
  return {
    input: outputOf(program),
    write: (bytes) => program.write(bytes),
    end: () => program.closeInput(),
    close: () => program.signal(SIGKILL),
  };
}

/** Leaving the loop early drops the connection. */
async function* outputOf(program: Process): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  try {
    for await (const { stream, bytes } of program.output) if (stream === 'out') yield bytes;
  } finally {
    program.signal(SIGKILL);
  }
}

function hostProgram(argv: readonly string[], network?: string): SpawnSpec {
  return {
    argv,
    env: ENVIRONMENT,
    cwd: '/',
    uid: 0,
    gid: 0,
    ...(network !== undefined && { network }),
  };
}
