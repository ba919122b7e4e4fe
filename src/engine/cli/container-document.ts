/** A container as `docker inspect` has it, and what `docker ps` shows of that. */

import { type ContainerInspection, inspectContainer } from '../container/inspection.ts';
import { networkSettings } from '../container/network-inspection.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { DockerHost } from './docker-host.ts';
import { isPlainObject } from './template-values.ts';

/** The document; `sized` with the bytes of its own layer and of all layers. */
export async function containerDocument(
  host: DockerHost,
  record: ContainerRecord,
  sized: boolean,
): Promise<ContainerInspection> {
  const { networks } = host.containers;
  const settings = networkSettings(record, networks.networks, networks.state(record.id));
  return inspectContainer(record, sized ? await host.containers.sizes(record.id) : undefined, settings);
}

export interface Port {
  readonly containerPort: number;
  readonly protocol: string;
  /** Undefined of a port that is exposed and not published. */
  readonly host?: { readonly ip: string; readonly port: number };
}

/** What it exposes and publishes. */
export function portsOf(document: ContainerInspection): readonly Port[] {
  const ports: Port[] = [];
  for (const [name, bindings] of Object.entries(member(document, 'NetworkSettings', 'Ports'))) {
    const [number = '', protocol = 'tcp'] = name.split('/');
    const containerPort = Number(number);
    const published = Array.isArray(bindings) ? bindings.filter(isPlainObject) : [];
    if (published.length === 0) ports.push({ containerPort, protocol });
    for (const { HostIp, HostPort } of published) {
      ports.push({ containerPort, protocol, host: { ip: String(HostIp ?? ''), port: Number(HostPort) } });
    }
  }
  return ports;
}

/** By name; the IDs where it is connected. */
export function networksOf(document: ContainerInspection): ReadonlyMap<string, string> {
  const networks = Object.entries(member(document, 'NetworkSettings', 'Networks'));
  return new Map(
    networks.map(([name, endpoint]) => [
      name,
      isPlainObject(endpoint) ? String(endpoint.NetworkID ?? '') : '',
    ]),
  );
}

export interface MountedPlace {
  /** The volume's name, else the path that is mounted. */
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly isLocalVolume: boolean;
}

export function mountsOf(document: ContainerInspection): readonly MountedPlace[] {
  const mounts = Array.isArray(document.Mounts) ? document.Mounts.filter(isPlainObject) : [];
  return mounts.map(({ Name, Source, Destination, Driver }) => ({
    name: String(Name ?? '') === '' ? String(Source ?? '') : String(Name),
    source: String(Source ?? ''),
    destination: String(Destination ?? ''),
    isLocalVolume: Driver === 'local',
  }));
}

/** An object within the document; an empty one when there is none. */
function member(document: unknown, ...names: readonly string[]): Readonly<Record<string, unknown>> {
  let value = document;
  for (const name of names) value = isPlainObject(value) ? value[name] : undefined;
  return isPlainObject(value) ? value : {};
}

/**
 * `0.0.0.0:8080->80/tcp, 443/tcp`, in the order of Docker's client: runs of ports that count together on both sides, as
 * they end and then as they began, and what is published elsewhere behind them.
 */
export function portsText(ports: readonly Port[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.containerPort - b.containerPort ||
      compare(a.host?.ip ?? '', b.host?.ip ?? '') ||
      (a.host?.port ?? 0) - (b.host?.port ?? 0) ||
      compare(a.protocol, b.protocol),
  );
  const open = new Map<string, { readonly first: Port; last: Port }>();
  const ended: string[] = [];
  const elsewhere: string[] = [];
  for (const port of sorted) {
    const { host, containerPort, protocol } = port;
    if (host !== undefined && host.port !== containerPort) {
      elsewhere.push(`${address(host.ip)}:${host.port}->${containerPort}/${protocol}`);
      continue;
    }
    const key = `${host?.ip ?? ''}/${protocol}`;
    const run = open.get(key);
    if (run !== undefined && run.last.containerPort + 1 === containerPort) run.last = port;
    else if (run?.last.containerPort !== containerPort) {
      if (run !== undefined) ended.push(runText(run));
      open.set(key, { first: port, last: port });
    }
  }
  return [...ended, ...[...open.values()].map(runText), ...elsewhere].join(', ');
}

function runText({ first, last }: { readonly first: Port; readonly last: Port }): string {
  const range =
    first.containerPort === last.containerPort
      ? String(first.containerPort)
      : `${first.containerPort}-${last.containerPort}`;
  const inside = `${range}/${first.protocol}`;
  return first.host === undefined ? inside : `${address(first.host.ip)}:${range}->${inside}`;
}

function address(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
