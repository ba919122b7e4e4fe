import { RegistryResponseError } from '../../errors.ts';
import { MACHINE_PLATFORM, normalizePlatform, parsePlatform } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import { standardInput } from '../archive-input.ts';
import type { Command, Invocation } from '../command.ts';
import { fileInput } from '../host-files.ts';
import { streamed } from '../streamed-failure.ts';

export const importCommand: Command = {
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  summary: 'Import the contents from a tarball to create a filesystem image',
  aliases: ['docker image import', 'docker import'],
  flags: [
    {
      long: 'change',
      short: 'c',
      type: 'list',
      help: 'Apply Dockerfile instruction to the created image',
    },
    { long: 'message', short: 'm', type: 'string', help: 'Set commit message for imported image' },
    { long: 'platform', type: 'string', help: 'Set platform if server is multi-platform capable' },
  ],
  wordCount: { min: 1 },
  run: async (invocation) => {
    const { words, flags, host, stdio, print } = invocation;
    const [from = '', name] = words;
    const reference = name === undefined || name === '' ? undefined : parseReference(name);
    const platform = flags.string('platform');
    const wanted = platform === '' ? MACHINE_PLATFORM : normalizePlatform(parsePlatform(platform));
    return streamed(async () => {
      const isURL = /^https?:\/\//.test(from);
      const message = flags.string('message') || `Imported from ${from}`;
      const image = await host.images.import({
        tar: isURL
          ? download(from, invocation)
          : from === '-'
            ? standardInput(stdio)
            : fileInput(from, host, stdio),
        ...(reference !== undefined && { reference }),
        message,
        changes: flags.list('change'),
        platform: wanted,
        signal: stdio.signal,
      });
      await print.line(image.imageID);
      return 0;
    });
  },
};

async function* download(
  url: string,
  { host, stdio, print }: Invocation,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  await print.line(`Downloading from ${url}`);
  const response = await host.registries.download(url, { signal: stdio.signal });
  if (!response.ok || response.body === null) {
    throw new RegistryResponseError(
      `Got HTTP status code >= 400: ${response.status} ${response.statusText}`,
      {
        url,
        status: response.status,
      },
    );
  }
  const reader = response.body.getReader();
  try {
    for (;;) {
      const step = await reader.read();
      if (step.done) return;
      yield step.value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // of a connection that broke there is nothing left to end
  }
}
