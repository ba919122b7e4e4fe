import { familiarReference } from '../../oci/reference.ts';
import { standardInput } from '../archive-input.ts';
import type { Command } from '../command.ts';
import { fileInput } from '../host-files.ts';
import { platformOption } from '../image-pull.ts';
import { PullDisplay } from '../pull-display.ts';
import { refusal } from '../refusal.ts';

export const load: Command = {
  usage: '[OPTIONS]',
  summary: 'Load an image from a tar archive or STDIN',
  aliases: ['docker image load', 'docker load'],
  flags: [
    { long: 'input', short: 'i', type: 'string', help: 'Read from tar archive file, instead of STDIN' },
    {
      long: 'platform',
      type: 'string',
      help: 'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Suppress the load output' },
  ],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, stdio, print }) => {
    const path = flags.string('input');
    const platform = platformOption(flags.string('platform'));
    if (path === '' && stdio.terminal.stdin) {
      throw refusal('requested load from stdin, but stdin is empty');
    }
    const archive = path === '' ? standardInput(stdio) : fileInput(path, host, stdio);
    const display = new PullDisplay(stdio, 'out', host.now);
    // Docker's client asks for no progress where nobody watches
    const isShown = !flags.bool('quiet') && stdio.terminal.stdout;
    const loading = host.images.load(archive, {
      ...platform,
      signal: stdio.signal,
      ...(isShown && { onProgress: (progress) => display.show(progress) }),
    });
    const images = await loading.finally(() => display.finish());
    for (const { record, reference, previous } of images) {
      const name = reference === undefined ? undefined : familiarReference(reference);
      if (name !== undefined && previous !== undefined) {
        await print.line(
          `The image ${name} already exists, renaming the old one with ID ${previous} to empty string`,
        );
      }
      await print.line(name === undefined ? `Loaded image ID: ${record.imageID}` : `Loaded image: ${name}`);
    }
    return 0;
  },
};
