import type { Command, Invocation } from '../command.ts';
import { formatMemory, formatSize } from '../format.ts';
import { INSPECT_FORMAT_FLAG } from '../format-flag.ts';
import { jsonOf } from '../json-text.ts';
import { parseTemplate } from '../template.ts';
import { DOCKER_VERSION, LAYERBOX_VERSION } from '../version-words.ts';

export const info: Command = {
  usage: '[OPTIONS]',
  summary: 'Display system-wide information',
  aliases: ['docker system info', 'docker info'],
  flags: [INSPECT_FORMAT_FLAG],
  wordCount: { min: 0, max: 0 },
  run: async (invocation) => {
    const { flags, print } = invocation;
    const document = await describe(invocation);
    const format = flags.string('format');
    if (format === 'json') await print.line(jsonOf(document));
    else if (format !== '') await print.line(parseTemplate(format).render(document));
    else await print.text(layout(document));
    return 0;
  },
};

type Description = Awaited<ReturnType<typeof describe>>;

/** The fields of Docker's API that mean something here, under the names that they have there. */
async function describe({ host }: Invocation) {
  const records = host.containers.list();
  const count = (status: string) => records.filter((record) => record.state.status === status).length;
  const images = new Set((await host.images.list()).map((image) => image.imageID));
  const description = await host.describe();
  const state = host.machine?.state.status ?? 'none';
  return {
    ID: 'layerbox',
    ServerVersion: LAYERBOX_VERSION,
    Containers: records.length,
    ContainersRunning: count('running'),
    ContainersPaused: count('paused'),
    ContainersStopped: records.length - count('running') - count('paused'),
    Images: images.size,
    Driver: description.storage,
    ContentSize: description.contentBytes,
    LoggingDriver: 'layerbox',
    CgroupVersion: '2',
    OSType: 'linux',
    Architecture: 'i386',
    NCPU: 1,
    MemTotal: host.machine?.stats().memoryBytes ?? 0,
    MachineState: state,
    Machine: description.assets,
    Mirrors: description.mirrors,
    Name: 'layerbox',
    OperatingSystem: description.assets,
    DockerRootDir: '/var/lib/docker',
    Plugins: { Volume: ['local'], Network: ['bridge', 'host', 'null'], Log: ['layerbox'] },
    Warnings: [],
    SystemTime: new Date(host.now()).toISOString(),
  };
}

function layout(document: Description): string {
  const mirrors = Object.entries(document.Mirrors).flatMap(([name, places]) =>
    places.map((place) => `  ${name}: ${place}`),
  );
  return [
    'Client: Layerbox',
    ` Version:    ${LAYERBOX_VERSION}, in the words of docker ${DOCKER_VERSION}`,
    ' Context:    default',
    '',
    'Server:',
    ` Containers: ${document.Containers}`,
    `  Running: ${document.ContainersRunning}`,
    `  Paused: ${document.ContainersPaused}`,
    `  Stopped: ${document.ContainersStopped}`,
    ` Images: ${document.Images}`,
    ` Server Version: ${document.ServerVersion}`,
    ` Storage Driver: ${document.Driver}`,
    `  Content: ${formatSize(document.ContentSize, 4)}`,
    ` Logging Driver: ${document.LoggingDriver}`,
    ` Cgroup Version: ${document.CgroupVersion}`,
    ` Operating System: ${document.Machine}`,
    ` OSType: ${document.OSType}`,
    ` Architecture: ${document.Architecture}`,
    ` CPUs: ${document.NCPU}`,
    ` Total Memory: ${formatMemory(document.MemTotal)}`,
    ` Name: ${document.Name}`,
    ` Machine: ${document.MachineState}`,
    ' Registry Mirrors:',
    ...(mirrors.length === 0 ? ['  none'] : mirrors),
    '',
  ].join('\n');
}
