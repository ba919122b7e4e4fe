/** What `docker inspect` says of a container: the fields of Docker's API that mean something here. */

import { networkOf } from '../store/container-network.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { FIXED_HOST_CONFIG } from './fixed-host-config.ts';
import { inspectExtras, inspectHealth, inspectHostConfig } from './host-config-inspection.ts';
import { hostConfigOfMounts, inspectMounts, inspectVolumes } from './mount-inspection.ts';
import { exposedPorts, hostConfigOfNetwork } from './network-inspection.ts';
import { formatTimestamp } from './timestamp.ts';

/** Documents of the API; compared and printed, never read back. */
export type ContainerInspection = Readonly<Record<string, unknown>>;

export interface ContainerSizes {
  /** Bytes of the container's own layer, whole files as overlay2 counts them. */
  readonly own: number;
  /** Bytes of its image's layers. */
  readonly image: number;
}

/** The document; `sizes` when they were asked for; `network` is its NetworkSettings (network-inspection.ts). */
export function inspectContainer(
  record: ContainerRecord,
  sizes?: ContainerSizes,
  network?: ContainerInspection,
): ContainerInspection {
  const { config, state } = record;
  const [path = '', ...args] = [...config.entrypoint, ...config.cmd];
  const ports = exposedPorts(record);
  return {
    Id: record.id,
    Created: formatTimestamp(record.createdAt),
    Path: path,
    Args: args,
    State: inspectState(state),
    Image: record.imageID,
    // there are no such files: the guest has them in memory, the log is in the store
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: '',
    Name: `/${record.name}`,
    RestartCount: record.restartCount ?? 0,
    Driver: 'layerbox',
    Platform: record.platform.os,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: {
      ...FIXED_HOST_CONFIG,
      ...inspectHostConfig(record),
      ...hostConfigOfNetwork(record),
      ...hostConfigOfMounts(record),
    },
    // Docker's client reads the driver's data as a map of strings
    GraphDriver: { Data: { Layers: record.layers.join(':') }, Name: 'layerbox' },
    ...(sizes !== undefined && { SizeRw: sizes.own, SizeRootFs: sizes.own + sizes.image }),
    Mounts: inspectMounts(record),
    Config: {
      Hostname: config.hostname,
      Domainname: networkOf(record).domainname,
      User: config.user,
      AttachStdin: config.attachStdin,
      AttachStdout: config.attachStdout ?? true,
      AttachStderr: config.attachStderr ?? true,
      ...(ports !== undefined && { ExposedPorts: ports }),
      Tty: config.tty,
      OpenStdin: config.openStdin,
      StdinOnce: config.attachStdin,
      Env: config.env,
      Cmd: config.cmd.length === 0 ? null : config.cmd,
      Image: record.image,
      Volumes: inspectVolumes(record),
      WorkingDir: config.workingDir,
      Entrypoint: config.entrypoint.length === 0 ? null : config.entrypoint,
      OnBuild: null,
      Labels: config.labels,
      ...(config.stopSignal !== '' && { StopSignal: config.stopSignal }),
      ...inspectExtras(record),
    },
    NetworkSettings: network ?? { Ports: {}, Networks: {} },
  };
}

function inspectState(state: ContainerState): ContainerInspection {
  return {
    Status: state.status,
    Running: ['running', 'paused', 'restarting'].includes(state.status),
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: state.status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: formatTimestamp(state.startedAt),
    FinishedAt: formatTimestamp(state.finishedAt),
    ...inspectHealth(state.health),
  };
}
