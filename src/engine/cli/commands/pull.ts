import { platformNotice } from '../../container/walk-shell.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import type { Command } from '../command.ts';
import { pullImage } from '../image-pull.ts';

export const pull: Command = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  summary: 'Download an image from a registry',
  aliases: ['docker image pull', 'docker pull'],
  flags: [
    { long: 'platform', type: 'string', help: 'Set platform if server is multi-platform capable' },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Suppress verbose output' },
  ],
  later: ['all-tags/a', 'disable-content-trust'],
  wordCount: { min: 1, max: 1 },
  run: async ({ words, flags, host, stdio, print }) => {
    const [text = ''] = words;
    const reference = parseReference(text);
    const quiet = flags.bool('quiet');
    if (!quiet && !/[:@][^/]*$/.test(text)) await print.line('Using default tag: latest');
    const { record } = await pullImage(host, stdio, {
      reference,
      platform: flags.string('platform'),
      quiet,
      stream: 'out',
    });
    await print.line(formatReference(reference));
    const notice = platformNotice(record.platform);
    if (notice !== undefined) await print.error(notice);
    return 0;
  },
};
