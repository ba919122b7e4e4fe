/** The words of `--publish` and `--expose`, read as Docker's client (go-connections, nat) reads them. */

import { printableName } from '../names.ts';
import { parseAddress } from '../network/ipv4.ts';
import type { PortBinding, PortProtocol } from '../store/container-network.ts';
import { refusal } from './refusal.ts';

interface Range {
  readonly first: number;
  readonly last: number;
}

/** The ports of one `-p`, a binding for each. UsageError in Docker's words. */
export function parsePublish(text: string): readonly PortBinding[] {
  const raw = text.includes('=') ? fromFields(text) : text;
  const { spec, protocol } = splitProtocol(raw);
  const { hostIP, hostPort, containerPort } = splitSpec(spec);
  checkHostIP(hostIP);
  if (containerPort === '') throw refusal(`no port specified: ${raw}<empty>`);
  const container = parseRange(containerPort);
  if (container === undefined) throw refusal(`invalid containerPort: ${containerPort}`);
  const host = hostPort === '' ? undefined : parseRange(hostPort);
  if (hostPort !== '' && host === undefined) throw refusal(`invalid hostPort: ${hostPort}`);
  const checked = checkProtocol(protocol);
  const count = container.last - container.first;
  if (host !== undefined && host.last - host.first !== count && count > 0) {
    throw refusal(`invalid ranges specified for container and host Ports: ${containerPort} and ${hostPort}`);
  }
  return Array.from({ length: count + 1 }, (_, i) => ({
    containerPort: container.first + i,
    protocol: checked,
    hostIP,
    ...(host !== undefined && host.first !== 0 && { hostPorts: hostPortsOf(host, count, i) }),
  }));
}

/** One port of the host's for each of the container's; one port of the container's takes any of the host's range. */
function hostPortsOf({ first, last }: Range, count: number, index: number): Range {
  return count === 0 ? { first, last } : { first: first + index, last: first + index };
}

/** `target=80,published=8080,protocol=tcp`, as the one word that it stands for. */
function fromFields(text: string): string {
  const fields = { target: '', published: '', protocol: 'tcp' };
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    if (equals < 0) throw refusal(`invalid publish opts format (should be name=value but got '${field}')`);
    const name = field.slice(0, equals);
    if (name === 'target' || name === 'published' || name === 'protocol')
      fields[name] = field.slice(equals + 1);
  }
  return `${fields.published}:${fields.target}/${fields.protocol}`;
}

function splitProtocol(text: string): { spec: string; protocol: string } {
  const [spec = '', protocol = ''] = text.split('/');
  return { spec, protocol: protocol === '' ? 'tcp' : protocol };
}

/** `[address:[host port]:]container port`: what is before the last two is the address, colons and all. */
function splitSpec(spec: string) {
  const parts = spec.split(':');
  const containerPort = parts.at(-1) ?? '';
  const hostPort = parts.length > 1 ? (parts.at(-2) ?? '') : '';
  return { hostIP: parts.slice(0, -2).join(':'), hostPort, containerPort };
}

function checkHostIP(hostIP: string): void {
  if (hostIP === '' || parseAddress(hostIP) !== undefined) return;
  if (/^\[?[0-9a-f:.]*:[0-9a-f:.]*\]?$/i.test(hostIP) && hostIP.includes('::')) {
    throw refusal(`the address ${hostIP} is of IPv6, which is not supported by Layerbox`);
  }
  throw refusal(`invalid IP address: ${printableName(hostIP)}`);
}

function checkProtocol(protocol: string): PortProtocol {
  const small = protocol.toLowerCase();
  if (small === 'tcp' || small === 'udp') return small;
  if (small === 'sctp') throw refusal('the protocol sctp is not supported by Layerbox: use tcp or udp');
  throw refusal(`invalid proto: ${printableName(protocol)}`);
}

/** `80`, `8000-8010`; undefined when it is none. */
function parseRange(text: string): Range | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return last <= 65535 && first <= last ? { first, last } : undefined;
}

/** The ports of one `--expose`, each as `80/tcp`. UsageError in Docker's words. */
export function parseExpose(text: string): readonly string[] {
  if (text.includes(':')) throw refusal(`invalid port format for --expose: ${printableName(text)}`);
  const { spec, protocol } = splitProtocol(text);
  const range = parseRange(spec);
  if (range === undefined) {
    throw refusal(`invalid range format for --expose: ${printableName(text)}, error: ${rangeFault(spec)}`);
  }
  const checked = checkProtocol(protocol);
  return Array.from({ length: range.last - range.first + 1 }, (_, i) => `${range.first + i}/${checked}`);
}

function rangeFault(text: string): string {
  if (text === '') return 'empty string specified for ports';
  const [first = '', last] = text.split('-');
  const wrong = [first, ...(last === undefined ? [] : [last])].find((part) => !/^\d+$/.test(part));
  if (wrong !== undefined) return `strconv.ParseUint: parsing ${JSON.stringify(wrong)}: invalid syntax`;
  const large = [first, last ?? ''].find((part) => Number(part) > 65535);
  if (large !== undefined) return `strconv.ParseUint: parsing ${JSON.stringify(large)}: value out of range`;
  return `invalid range specified for port: ${text}`;
}
