/** The DNS server at 127.0.0.11 of a container: the host's `resolver` listens there and asks here. */

import { joinBytes } from '../archive/join-bytes.ts';
import { LayerboxError } from '../errors.ts';
import type { HostNetwork, HostProgram } from './host-network.ts';
import { answerQuery, type NamedEndpoint } from './name-service.ts';

/** Where it listens, as Docker's does. */
export const RESOLVER_ADDRESS = '127.0.0.11';
const PROGRAM = '/usr/lib/layerbox/resolver';
const READY = 0xffff;
/** In the number of a query that came over TCP (guest/resolver/resolver.c). */
const OVER_TCP = 0x4000;
const SIGKILL = 9;

export interface ResolverOptions {
  readonly namespace: string;
  /** Who is on the container's networks now. */
  readonly endpoints: () => readonly NamedEndpoint[];
  /** Addresses of servers to ask what is not known here. */
  readonly servers: readonly string[];
  readonly onFailure: (error: unknown) => void;
}

export class Resolver {
  readonly #program: HostProgram;
  readonly #options: ResolverOptions;
  #rest = new Uint8Array(0);
  #turn = 0;
  #isStopped = false;

  private constructor(program: HostProgram, options: ResolverOptions) {
    this.#program = program;
    this.#options = options;
  }

  /** Resolves when it listens. LayerboxError when it cannot. */
  static async start(host: HostNetwork, options: ResolverOptions): Promise<Resolver> {
    const program = await host.run([PROGRAM, ...options.servers], options.namespace);
    const resolver = new Resolver(program, options);
    await new Promise<void>((resolve, reject) => {
      resolver.#serve(resolve).then(
        () => {
          const failure = new LayerboxError(`the DNS server of a container's network ended`);
          reject(failure);
          if (!resolver.#isStopped) options.onFailure(failure);
        },
        (error: unknown) => {
          reject(error);
          if (!resolver.#isStopped) options.onFailure(error);
        },
      );
    });
    return resolver;
  }

  stop(): void {
    this.#isStopped = true;
    this.#program.signal(SIGKILL);
  }

  async #serve(onReady: () => void): Promise<void> {
    for await (const { stream, bytes } of this.#program.output) {
      if (stream === 'err') throw new LayerboxError(new TextDecoder().decode(bytes).trim());
      for (const { number, message } of this.#frames(bytes)) {
        if (number === READY) onReady();
        else await this.#answer(number, message);
      }
    }
  }

  async #answer(number: number, message: Uint8Array): Promise<void> {
    const { endpoints, servers } = this.#options;
    this.#turn += 1;
    const answer = answerQuery(message, endpoints(), {
      hasServers: servers.length > 0,
      isDatagram: (number & OVER_TCP) === 0,
      turn: this.#turn,
    });
    if (answer === undefined) return;
    const bytes = answer === 'forward' ? new Uint8Array(0) : answer;
    const frame = new Uint8Array(4 + bytes.length);
    const view = new DataView(frame.buffer);
    view.setUint16(0, bytes.length);
    view.setUint16(2, number);
    frame.set(bytes, 4);
    await this.#program.write(frame);
  }

  *#frames(bytes: Uint8Array): Generator<{ number: number; message: Uint8Array }, void, void> {
    const all = joinBytes([this.#rest, bytes]);
    const view = new DataView(all.buffer);
    let at = 0;
    while (all.length - at >= 4) {
      const end = at + 4 + view.getUint16(at);
      if (end > all.length) break;
      const number = view.getUint16(at + 2);
      const message = all.subarray(at + 4, end);
      at = end;
      yield { number, message };
    }
    this.#rest = all.slice(at);
  }
}
