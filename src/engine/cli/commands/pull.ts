import { platformNotice } from '../../container/walk-shell.ts';
import {
  familiarName,
  formatReference,
  fullName,
  parseReference,
  type Reference,
} from '../../oci/reference.ts';
import type { Command, Invocation } from '../command.ts';
import { platformOption, pullImage, statusLine } from '../image-pull.ts';
import { refusal } from '../refusal.ts';

export const pull: Command = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  summary: 'Download an image from a registry',
  aliases: ['docker image pull', 'docker pull'],
  flags: [
    {
      long: 'all-tags',
      short: 'a',
      type: 'bool',
      help: 'Download all tagged images in the repository',
    },
    { long: 'platform', type: 'string', help: 'Set platform if server is multi-platform capable' },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Suppress verbose output' },
  ],
  later: ['disable-content-trust'],
  wordCount: { min: 1, max: 1 },
  run: async (invocation) => {
    const { words, flags, host, stdio, print } = invocation;
    const [text = ''] = words;
    const reference = parseReference(text);
    const quiet = flags.bool('quiet');
    const isNamed = /[:@][^/]*$/.test(text);
    if (flags.bool('all-tags')) {
      if (isNamed) throw refusal("tag can't be used with --all-tags/-a");
      return pullAll(invocation, reference);
    }
    if (!quiet && !isNamed) await print.line('Using default tag: latest');
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

/** Every tag of the repository, one after the other, in the order of their names. */
async function pullAll({ flags, host, stdio, print }: Invocation, repository: Reference): Promise<number> {
  const quiet = flags.bool('quiet');
  const platform = flags.string('platform');
  platformOption(platform);
  const tags = await host.registries.tags(repository, { signal: stdio.signal });
  let isChanged = false;
  const notices = new Set<string>();
  for (const tag of tags.toSorted()) {
    const reference = { ...repository, tag };
    const request = { reference, platform, quiet, stream: 'out', isOneOfAll: true } as const;
    const { changed, record } = await pullImage(host, stdio, request);
    isChanged ||= changed;
    const notice = platformNotice(record.platform);
    if (notice !== undefined) notices.add(notice);
  }
  if (!quiet) await print.line(statusLine(isChanged, familiarName(repository)));
  await print.line(fullName(repository));
  for (const notice of notices) await print.error(notice);
  return 0;
}
