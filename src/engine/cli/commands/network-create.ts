import { printableName } from '../../names.ts';
import { contains, overlap, parseAddress, parseSubnet, type Subnet } from '../../network/ipv4.ts';
import type { NetworkOptions } from '../../network/networks.ts';
import type { Command } from '../command.ts';
import type { ParsedFlags } from '../parse.ts';
import { refusal } from '../refusal.ts';

export const networkCreate: Command = {
  usage: '[OPTIONS] NETWORK',
  summary: 'Create a network',
  aliases: [],
  flags: [
    { long: 'attachable', type: 'bool', help: 'Enable manual container attachment' },
    {
      long: 'aux-address',
      type: 'list',
      typeName: 'map',
      help: 'Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])',
    },
    {
      long: 'driver',
      short: 'd',
      type: 'string',
      default: 'bridge',
      help: 'Driver to manage the Network',
    },
    {
      long: 'gateway',
      type: 'list',
      typeName: 'strings',
      help: 'IPv4 or IPv6 Gateway for the master subnet',
    },
    { long: 'internal', type: 'bool', help: 'Restrict external access to the network' },
    { long: 'ip-range', type: 'list', typeName: 'strings', help: 'Allocate container ip from a sub-range' },
    {
      long: 'ipam-opt',
      type: 'list',
      typeName: 'map',
      help: 'Set IPAM driver specific options (default map[])',
    },
    {
      long: 'label',
      type: 'list',
      help: 'Set metadata on a network',
      check: (value) => (/^[^=]/.test(value) ? undefined : `invalid label '${value}': empty name`),
    },
    {
      long: 'opt',
      short: 'o',
      type: 'list',
      typeName: 'map',
      help: 'Set driver specific options (default map[])',
    },
    {
      long: 'subnet',
      type: 'list',
      typeName: 'strings',
      help: 'Subnet in CIDR format that represents a network segment',
    },
  ],
  later: ['config-from=', 'config-only', 'ingress', 'ipam-driver=', 'ipv4', 'ipv6', 'scope='],
  wordCount: { min: 1, max: 1 },
  run: async ({ words: [name = ''], flags, host, print }) => {
    const record = await host.containers.networks.create(networkOptionsOf(name, flags));
    await print.line(record.id);
    return 0;
  },
};

/** UsageError in the words of Docker's client for blocks and addresses that do not go together. */
function networkOptionsOf(name: string, flags: ParsedFlags): NetworkOptions {
  const several = (long: string) => flags.list(long).flatMap((value) => value.split(','));
  const [subnet, secondSubnet] = several('subnet');
  const [gateway, secondGateway] = several('gateway');
  const [ipRange, secondRange] = several('ip-range');
  const aux = pairs(flags.list('aux-address'));
  if (
    (subnet === undefined && (gateway ?? ipRange) !== undefined) ||
    (secondGateway ?? secondRange) !== undefined
  ) {
    throw refusal('every ip-range or gateway must have a corresponding subnet');
  }
  if (secondSubnet !== undefined) {
    const [a, b] = [parseSubnet(subnet ?? ''), parseSubnet(secondSubnet)];
    throw refusal(
      a !== undefined && b !== undefined && overlap(a, b)
        ? 'multiple overlapping subnet configuration is not supported'
        : 'bridge driver does not support multiple subnets',
    );
  }
  const block = subnet === undefined ? undefined : parseSubnet(subnet);
  if (ipRange !== undefined) checkRange(ipRange, block);
  if (gateway !== undefined && isOutside(gateway, block))
    throw refusal(`no matching subnet for gateway ${gateway}`);
  for (const address of Object.values(aux)) {
    if (block === undefined || isOutside(address, block)) {
      throw refusal(`no matching subnet for aux-address ${printableName(address)}`);
    }
  }
  return {
    name,
    driver: flags.string('driver'),
    ...(subnet !== undefined && { subnet }),
    ...(gateway !== undefined && { gateway }),
    ...(ipRange !== undefined && { ipRange }),
    ...(Object.keys(aux).length > 0 && { auxAddresses: aux }),
    internal: flags.bool('internal'),
    attachable: flags.bool('attachable'),
    labels: pairs(flags.list('label')),
    options: pairs(flags.list('opt')),
    ipamOptions: pairs(flags.list('ipam-opt')),
  };
}

function checkRange(text: string, block: Subnet | undefined): void {
  const range = parseSubnet(text);
  if (range === undefined) throw refusal(`invalid CIDR address: ${printableName(text)}`);
  if (block !== undefined && !contains(block, range.base))
    throw refusal(`no matching subnet for range ${text}`);
}

/** What is no address at all is for the daemon to refuse. */
function isOutside(text: string, block: Subnet | undefined): boolean {
  const address = parseAddress(text);
  if (block === undefined) return false;
  return address === undefined || !contains(block, address);
}

/** `name=value`, or a name alone. */
function pairs(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}
