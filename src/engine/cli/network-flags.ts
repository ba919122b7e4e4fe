/** The flags of `docker create` and `docker run` that say on which networks a container is, and under which names. */

import { printableName } from '../names.ts';
import { parseAddress } from '../network/ipv4.ts';
import {
  type ContainerNetwork,
  type EndpointConfig,
  NO_ENDPOINT_CONFIG,
} from '../store/container-network.ts';
import type { Flag } from './command.ts';
import type { ParsedFlags } from './parse.ts';
import { parseExpose, parsePublish } from './port-spec.ts';
import { refusal } from './refusal.ts';

export const NETWORK_FLAGS: readonly Flag[] = [
  {
    long: 'add-host',
    type: 'list',
    help: 'Add a custom host-to-IP mapping (host:ip)',
    check: checkExtraHost,
  },
  { long: 'dns', type: 'list', help: 'Set custom DNS servers', check: checkServer },
  { long: 'dns-option', type: 'list', help: 'Set DNS options' },
  { long: 'dns-search', type: 'list', help: 'Set custom DNS search domains', check: checkDomain },
  { long: 'domainname', type: 'string', help: 'Container NIS domain name' },
  { long: 'expose', type: 'list', help: 'Expose a port or a range of ports' },
  { long: 'ip', type: 'string', help: 'IPv4 address (e.g., 172.30.100.104)' },
  { long: 'mac-address', type: 'string', help: 'Container MAC address (e.g., 92:d0:c6:0a:29:33)' },
  {
    long: 'network',
    type: 'list',
    typeName: 'network',
    help: 'Connect a container to a network',
    check: networkFault,
  },
  { long: 'net', type: 'list', help: '', check: networkFault, hidden: true },
  { long: 'network-alias', type: 'list', help: 'Add network-scoped alias for the container' },
  { long: 'net-alias', type: 'list', help: '', hidden: true },
  { long: 'publish', short: 'p', type: 'list', help: "Publish a container's port(s) to the host" },
  { long: 'publish-all', short: 'P', type: 'bool', help: 'Publish all exposed ports to random ports' },
];

/** What the flags ask for; undefined: nothing but Docker's default. UsageError in Docker's words. */
export function networkOptions(flags: ParsedFlags): ContainerNetwork {
  const attachments = attachmentsOf(flags);
  const [first] = attachments;
  const mode = first === undefined || first.target === 'default' ? 'bridge' : first.target;
  const isShared = mode === 'host' || mode === 'none' || mode.startsWith('container:');
  const endpoints = attachments.map(({ target, config }) => [
    target === 'default' ? 'bridge' : target,
    config,
  ]);
  return {
    mode,
    endpoints: isShared
      ? {}
      : Object.fromEntries(endpoints.length === 0 ? [['bridge', NO_ENDPOINT_CONFIG]] : endpoints),
    ports: flags.list('publish').flatMap(parsePublish),
    publishAll: flags.bool('publish-all'),
    exposed: flags.list('expose').flatMap(parseExpose),
    extraHosts: flags.list('add-host').map(normalExtraHost),
    dns: flags.list('dns'),
    dnsSearch: flags.list('dns-search'),
    dnsOptions: flags.list('dns-option'),
    domainname: flags.string('domainname'),
  };
}

interface Attachment {
  readonly target: string;
  readonly config: EndpointConfig;
}

/** The networks of the command line, the one of its other flags first. */
function attachmentsOf(flags: ParsedFlags): readonly Attachment[] {
  const given = [...flags.list('network'), ...flags.list('net')].map(parseNetwork);
  const aliases = [...flags.list('network-alias'), ...flags.list('net-alias')];
  const address = flags.string('ip');
  const mac = flags.string('mac-address');
  if (mac !== '' && !isMac(mac)) throw refusal(`${printableName(mac)} is not a valid mac address`);
  const [first = { target: 'default', config: NO_ENDPOINT_CONFIG }, ...others] = given;
  const { config } = first;
  if (aliases.length > 0 && config.aliases.length > 0) {
    throw refusal('conflicting options: cannot specify both --network-alias and per-network alias');
  }
  if (address !== '' && config.address !== '') {
    throw refusal('conflicting options: cannot specify both --ip and per-network IPv4 address');
  }
  if (mac !== '' && config.mac !== '') {
    throw refusal('conflicting options: cannot specify both --mac-address and per-network MAC address');
  }
  const attachments = [
    {
      target: first.target,
      config: {
        ...config,
        aliases: [...config.aliases, ...aliases],
        address: config.address === '' ? address : config.address,
        mac: config.mac === '' ? mac : config.mac,
      },
    },
    ...others,
  ];
  for (const [index, { target, config: each }] of attachments.entries()) {
    if (each.aliases.length > 0 && !isUserDefined(target)) {
      throw refusal('network-scoped aliases are only supported for user-defined networks');
    }
    if (each.mac !== '' && !isMac(each.mac))
      throw refusal(`${printableName(each.mac)} is not a valid mac address`);
    if (attachments.findIndex((other) => other.target === target) < index) {
      throw refusal(`network ${JSON.stringify(target)} is specified multiple times`);
    }
  }
  if (attachments.length > 1 && attachments.some(({ target }) => !isUserDefined(target))) {
    throw refusal('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
  }
  return attachments;
}

function isUserDefined(target: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(target) && !target.startsWith('container:');
}

function isMac(text: string): boolean {
  return /^[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}$/i.test(text);
}

const FIELDS = /^\w[\w-]*=/;

/** `NETWORK`, or `name=NETWORK,alias=NAME,ip=ADDRESS,mac-address=MAC,gw-priority=NUMBER`. */
function parseNetwork(text: string): Attachment {
  if (!FIELDS.test(text)) return { target: text, config: NO_ENDPOINT_CONFIG };
  let target = '';
  const aliases: string[] = [];
  let config = NO_ENDPOINT_CONFIG;
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    const value = field.slice(equals + 1).trim();
    const name = field.slice(0, Math.max(0, equals)).trim().toLowerCase();
    if (name === 'name') target = value;
    else if (name === 'alias') aliases.push(value);
    else if (name === 'ip') config = { ...config, address: value };
    else if (name === 'mac-address') config = { ...config, mac: value };
    else if (name === 'gw-priority') config = { ...config, gatewayPriority: Number(value) };
  }
  return { target, config: { ...config, aliases } };
}

const LATER_FIELDS = ['driver-opt', 'ip6', 'link-local-ip'];

function networkFault(text: string): string | undefined {
  if (!FIELDS.test(text)) return undefined;
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    if (equals < 0) return `invalid field ${field}`;
    const name = field.slice(0, equals).trim().toLowerCase();
    const value = field.slice(equals + 1).trim();
    if (LATER_FIELDS.includes(name)) return `the field ${name} is not supported by Layerbox`;
    if (!['name', 'alias', 'ip', 'mac-address', 'gw-priority'].includes(name))
      return `invalid field key ${name}`;
    if (name === 'gw-priority' && !/^-?\d+$/.test(value))
      return `invalid gw-priority (${value}): invalid syntax`;
  }
  return parseNetwork(text).target === '' ? 'network name/id is not specified' : undefined;
}

function checkServer(text: string): string | undefined {
  if (parseAddress(text) !== undefined) return undefined;
  if (/^[0-9a-f:.]+$/i.test(text) && text.includes('::')) {
    return `the address ${text} is of IPv6, which is not supported by Layerbox`;
  }
  return `IP address is not correctly formatted: ${text}`;
}

function checkDomain(text: string): string | undefined {
  if (text.trim() === '.') return undefined;
  return /^(?=.{1,255}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(text)
    ? undefined
    : `${text} is not a valid domain`;
}

/** `name=address` means the same as `name:address`, and so do brackets around an address. */
function normalExtraHost(text: string): string {
  const { name, address } = splitHost(text);
  return `${name}:${address.replace(/^\[(.*)\]$/, '$1')}`;
}

function splitHost(text: string): { name: string; address: string } {
  const at = text.includes('=') ? text.indexOf('=') : text.indexOf(':');
  return { name: text.slice(0, Math.max(0, at)), address: text.slice(at + 1) };
}

function checkExtraHost(text: string): string | undefined {
  const at = Math.max(text.indexOf('='), text.indexOf(':'));
  const { name, address } = splitHost(text);
  if (at < 0 || name === '') return `bad format for add-host: ${JSON.stringify(text)}`;
  const bare = address.replace(/^\[(.*)\]$/, '$1');
  const isAddress = parseAddress(bare) !== undefined || /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(bare);
  if (bare === 'host-gateway' || isAddress) return undefined;
  return `invalid IP address in add-host: ${JSON.stringify(address)}`;
}
