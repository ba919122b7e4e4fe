/** What the DNS server of a container answers: the names of its networks, and nothing of the world outside. */

import {
  DNS_TYPE,
  type DnsAnswer,
  encodeAnswer,
  isDomainName,
  parseQuery,
  RCODE,
  refusal,
} from './dns-message.ts';
import { parseAddress } from './ipv4.ts';

/** A container on one of the networks that the asker is on. */
export interface NamedEndpoint {
  readonly network: string;
  readonly address: number;
  /** The container's name first, then what else it is called on this network. */
  readonly names: readonly string[];
}

/**
 * The answer to a query over `endpoints`, all of the asker's networks; `forward`: others are to be asked, as `hasServers`
 * says that there are some; undefined: no answer.
 */
export function answerQuery(
  bytes: Uint8Array,
  endpoints: readonly NamedEndpoint[],
  { hasServers, isDatagram, turn }: AnswerOptions,
): Uint8Array<ArrayBuffer> | 'forward' | undefined {
  const query = parseQuery(bytes);
  if (query === undefined) return undefined;
  if (typeof query === 'number') return refusal(bytes, query);
  if ((query.extension?.version ?? 0) > 0) {
    return encodeAnswer(query, { code: RCODE.BAD_VERSION, records: [] }, isDatagram);
  }
  const name = query.name.toLowerCase();
  const answer = query.isInternet ? lookUp(name, query.type, endpoints) : undefined;
  if (answer !== undefined) return encodeAnswer(query, rotated(answer, turn), isDatagram);
  if (hasServers) return 'forward';
  // Nothing leaves the sandbox: what is not known here does not exist here, and that is said at once.
  return encodeAnswer(query, { code: RCODE.NO_NAME, records: [] }, isDatagram);
}

export interface AnswerOptions {
  readonly hasServers: boolean;
  readonly isDatagram: boolean;
  /** Counts the answers: who shares a name with others comes first in turn. */
  readonly turn: number;
}

/** Undefined: the name is not one of these networks. A known name without records of this type has none. */
function lookUp(name: string, type: number, endpoints: readonly NamedEndpoint[]): DnsAnswer | undefined {
  const reverse = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
  if (reverse !== null) {
    const address = parseAddress(reverse.slice(1).reverse().join('.'));
    const found = endpoints.find((endpoint) => endpoint.address === address);
    if (found === undefined) return undefined;
    const target = found.names.map((each) => `${each}.${found.network}`).find(isDomainName);
    const isAsked = type === DNS_TYPE.PTR || type === DNS_TYPE.ANY;
    const records = isAsked && target !== undefined ? [{ type: DNS_TYPE.PTR, name: target }] : [];
    return { code: RCODE.OK, records };
  }
  const matching = endpoints.filter(({ names, network }) =>
    names.some((each) => {
      const known = each.toLowerCase();
      return known === name || `${known}.${network.toLowerCase()}` === name;
    }),
  );
  if (matching.length === 0) return undefined;
  const addresses = [...new Set(matching.map(({ address }) => address))];
  const isAsked = type === DNS_TYPE.A || type === DNS_TYPE.ANY;
  const records = isAsked ? addresses.map((address) => ({ type: DNS_TYPE.A, address })) : [];
  return { code: RCODE.OK, records };
}

function rotated(answer: DnsAnswer, turn: number): DnsAnswer {
  const { records } = answer;
  if (records.length < 2) return answer;
  const at = turn % records.length;
  return { ...answer, records: [...records.slice(at), ...records.slice(0, at)] };
}
