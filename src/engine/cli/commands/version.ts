import type { Command } from '../command.ts';
import { INSPECT_FORMAT_FLAG } from '../format-flag.ts';
import { type GoType, pointer, struct, typedValue } from '../go-types.ts';
import { jsonOf } from '../json-text.ts';
import { parseTemplate, VERSION_WORDING } from '../template.ts';
import { API_VERSION, DOCKER_VERSION, LAYERBOX_VERSION } from '../version-words.ts';

const platform = pointer(struct('struct', { Name: '' }));
const build = { GitCommit: '', GoVersion: '', Os: '', Arch: '' } as const;

/** docker/cli, cli/command/system/version.go: versionInfo. */
const VERSION_TYPE: GoType = struct('system.versionInfo', {
  Client: struct('system.clientVersion', {
    Platform: platform,
    Version: '',
    'APIVersion=ApiVersion': '',
    DefaultAPIVersion: '',
    ...build,
    BuildTime: '',
    Context: '',
  }),
  Server: pointer(
    struct('types.Version', {
      Platform: platform,
      Version: '',
      'APIVersion=ApiVersion': '',
      MinAPIVersion: '',
      ...build,
      KernelVersion: '',
      Experimental: false,
      BuildTime: '',
    }),
  ),
});

export const version: Command = {
  usage: '[OPTIONS]',
  summary: 'Show the Docker version information',
  aliases: [],
  flags: [INSPECT_FORMAT_FLAG],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, print }) => {
    const { assets } = await host.describe();
    const document = {
      Client: {
        Version: DOCKER_VERSION,
        ApiVersion: API_VERSION,
        Os: 'linux',
        Arch: '386',
        Context: 'default',
      },
      Server: {
        Platform: { Name: 'Layerbox' },
        Version: LAYERBOX_VERSION,
        ApiVersion: API_VERSION,
        MinAPIVersion: API_VERSION,
        Os: 'linux',
        Arch: '386',
        Machine: assets,
      },
    };
    const format = flags.string('format');
    if (format === 'json') await print.line(jsonOf(document));
    else if (format !== '')
      await print.line(parseTemplate(format, VERSION_WORDING).render(typedValue(document, VERSION_TYPE)));
    else await print.text(layout(document.Client, document.Server));
    return 0;
  },
};

function layout(
  client: {
    readonly Version: string;
    readonly ApiVersion: string;
    readonly Os: string;
    readonly Arch: string;
  },
  server: { readonly Version: string; readonly Machine: string },
): string {
  const platform = `${client.Os}/${client.Arch}`;
  return [
    'Client: Layerbox, in the words of Docker Engine - Community',
    ` Version:           ${client.Version}`,
    ` API version:       ${client.ApiVersion}`,
    ` OS/Arch:           ${platform}`,
    ' Context:           default',
    '',
    'Server: Layerbox',
    ' Engine:',
    `  Version:          ${server.Version}`,
    `  OS/Arch:          ${platform}`,
    ` Machine:           ${server.Machine}`,
    '',
  ].join('\n');
}
