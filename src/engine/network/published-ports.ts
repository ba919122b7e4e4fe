/** Ports of containers at the host's addresses: which are taken, and the program that serves them. */

import { LayerboxError } from '../errors.ts';
import type { ContainerNetwork, PortBinding, PortProtocol } from '../store/container-network.ts';
import type { HostNetwork, HostProgram } from './host-network.ts';

export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  readonly hostIP: string;
  readonly hostPort: number;
}

/** Where a port is given out when none was named: Linux's own range for that, from its start. */
const EPHEMERAL = { first: 32768, last: 60999 };
const ANY = '0.0.0.0';
const PROGRAM = '/usr/lib/layerbox/docker-proxy';
const EADDRINUSE = 98;
const SIGKILL = 9;

/** Which ports of the host's are given to containers. */
export class HostPorts {
  readonly #taken = new Set<PublishedPort>();
  /** The port given out last where any would do: Docker goes on from there. */
  #last = EPHEMERAL.first - 1;

  /**
   * The first free port of those asked for, after `after` if that is given. LayerboxError in Docker's words when there
   * is none.
   */
  take(binding: PortBinding, hostIP: string, after?: number): PublishedPort {
    const { containerPort, protocol, hostPorts } = binding;
    const port = hostPorts === undefined ? this.#anyPort(protocol, hostIP) : undefined;
    const { first, last } = hostPorts ?? EPHEMERAL;
    for (let hostPort = port ?? Math.max(first, (after ?? first - 1) + 1); hostPort <= last; hostPort += 1) {
      if (!this.#isFree(protocol, hostIP, hostPort)) continue;
      if (hostPorts === undefined) this.#last = hostPort;
      const published = { containerPort, protocol, hostIP, hostPort };
      this.#taken.add(published);
      return published;
    }
    const wanted = hostPorts === undefined || first !== last ? `:${first}-${last}` : `:${first}`;
    throw new LayerboxError(`Bind for ${hostIP}${wanted} failed: port is already allocated`, { port: first });
  }

  release(port: PublishedPort): void {
    this.#taken.delete(port);
  }

  #anyPort(protocol: PortProtocol, hostIP: string): number {
    const count = EPHEMERAL.last - EPHEMERAL.first + 1;
    for (let step = 1; step <= count; step += 1) {
      const port = EPHEMERAL.first + ((this.#last - EPHEMERAL.first + step) % count);
      if (this.#isFree(protocol, hostIP, port)) return port;
    }
    return EPHEMERAL.last + 1;
  }

  #isFree(protocol: PortProtocol, hostIP: string, hostPort: number): boolean {
    return ![...this.#taken].some(
      (other) =>
        other.protocol === protocol &&
        other.hostPort === hostPort &&
        (other.hostIP === hostIP || other.hostIP === ANY || hostIP === ANY),
    );
  }
}

/** What is to be published: as asked for, and with -P each exposed port for which nothing was asked. */
export function bindingsOf(network: ContainerNetwork): readonly PortBinding[] {
  if (!network.publishAll) return network.ports;
  const rest = network.exposed.flatMap((text) => {
    const { port, protocol } = parseExposed(text);
    const isBound = network.ports.some((each) => each.containerPort === port && each.protocol === protocol);
    return isBound ? [] : [{ containerPort: port, protocol, hostIP: '' }];
  });
  return [...network.ports, ...rest.sort((a, b) => a.containerPort - b.containerPort)];
}

/** Of `80/tcp`. */
export function parseExposed(text: string): { readonly port: number; readonly protocol: PortProtocol } {
  const [port = '', protocol = 'tcp'] = text.split('/');
  return { port: Number(port), protocol: protocol === 'udp' ? 'udp' : 'tcp' };
}

export interface Publication {
  readonly ports: readonly PublishedPort[];
  stop(): void;
}

/**
 * Ports of the container at `address`, published. LayerboxError in Docker's words when one is taken, by a container or
 * by a program of the host's; nothing is published then.
 */
export async function publish(
  host: HostNetwork,
  hostPorts: HostPorts,
  bindings: readonly PortBinding[],
  address: string,
  onEnd: (error: unknown) => void,
): Promise<Publication> {
  const ports: PublishedPort[] = [];
  const release = () => {
    for (const port of ports) hostPorts.release(port);
  };
  try {
    for (const binding of bindings) ports.push(hostPorts.take(binding, hostIPOf(binding)));
    let program: HostProgram | undefined;
    while (ports.length > 0 && program === undefined) {
      const started = await startProxy(host, ports, address);
      if (started.refused === undefined) program = started.program;
      else moveOn(hostPorts, bindings, ports, started.refused, address);
    }
    let isStopped = false;
    program?.exit.then(
      () => {
        if (!isStopped)
          onEnd(new LayerboxError('docker-proxy ended: the ports that it published are closed'));
      },
      () => undefined, // of a machine that has failed everything else tells
    );
    return {
      ports,
      stop: () => {
        isStopped = true;
        program?.signal(SIGKILL);
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

function hostIPOf({ hostIP }: PortBinding): string {
  return hostIP === '' ? ANY : hostIP;
}

/** A program of the host's has that port: the next one that may be instead, if any may. */
function moveOn(
  hostPorts: HostPorts,
  bindings: readonly PortBinding[],
  ports: PublishedPort[],
  { index, errno }: Refused,
  address: string,
): void {
  const binding = bindings[index];
  const port = ports[index];
  const isOneOfMany =
    binding !== undefined &&
    (binding.hostPorts === undefined || binding.hostPorts.first < binding.hostPorts.last);
  if (binding === undefined || port === undefined || errno !== EADDRINUSE || !isOneOfMany) {
    const { hostIP, hostPort, containerPort, protocol } = port ?? NO_PORT;
    const reason =
      errno === EADDRINUSE
        ? 'address already in use'
        : errno === 99
          ? 'cannot assign requested address'
          : `errno ${errno}`;
    throw new LayerboxError(
      `failed to bind host port for ${hostIP}:${hostPort}:${address}:${containerPort}/${protocol}: ${reason}`,
      { port: hostPort },
    );
  }
  ports[index] = hostPorts.take(binding, hostIPOf(binding), port.hostPort);
  hostPorts.release(port);
}

const NO_PORT: PublishedPort = { hostIP: ANY, hostPort: 0, containerPort: 0, protocol: 'tcp' };

interface Refused {
  readonly index: number;
  readonly errno: number;
}

type Started =
  | { readonly program: HostProgram; readonly refused?: undefined }
  | { readonly refused: Refused };

async function startProxy(
  host: HostNetwork,
  ports: readonly PublishedPort[],
  address: string,
): Promise<Started> {
  const words = ports.flatMap(({ protocol, hostIP, hostPort, containerPort }) => [
    ...['-proto', protocol, '-host-ip', hostIP, '-host-port', String(hostPort)],
    ...['-container-ip', address, '-container-port', String(containerPort)],
  ]);
  const program = await host.run([PROGRAM, ...words]);
  return new Promise((resolve, reject) => {
    let text = '';
    const read = async () => {
      for await (const { stream, bytes } of program.output) {
        text += new TextDecoder().decode(bytes);
        if (stream === 'out' && text.startsWith('ready\n')) resolve({ program });
      }
      const match = /^(\d+) (\d+)\n/.exec(text);
      if (match === null) reject(new LayerboxError(`docker-proxy could not be started: ${text.trim()}`));
      else resolve({ refused: { index: Number(match[1]), errno: Number(match[2]) } });
    };
    read().catch(reject);
  });
}
