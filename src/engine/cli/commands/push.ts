import { parsePlatform } from '../../oci/platform.ts';
import { formatReference, fullName, parseReference, type Reference } from '../../oci/reference.ts';
import type { Command, Invocation } from '../command.ts';
import { printNote } from '../note.ts';
import { PullDisplay } from '../pull-display.ts';
import { refusal } from '../refusal.ts';
import { streamed } from '../streamed-failure.ts';

export const push: Command = {
  usage: '[OPTIONS] NAME[:TAG]',
  summary: 'Upload an image to a registry',
  aliases: ['docker image push', 'docker push'],
  flags: [
    {
      long: 'all-tags',
      short: 'a',
      type: 'bool',
      help: 'Push all tags of an image to the repository',
    },
    {
      long: 'platform',
      type: 'string',
      help: "Push a platform-specific manifest as a single-platform image to the registry.\nImage index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
    },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Suppress verbose output' },
  ],
  later: ['disable-content-trust'],
  wordCount: { min: 1, max: 1 },
  run: async (invocation) => {
    const { words, flags, host, print } = invocation;
    const [text = ''] = words;
    const reference = parseReference(text);
    const isNamed = /[:@][^/]*$/.test(text);
    const all = flags.bool('all-tags');
    const quiet = flags.bool('quiet');
    if (all && isNamed) throw refusal("tag can't be used with --all-tags/-a");
    if (flags.given('platform')) await platformNote(invocation);
    if (reference.digest !== undefined) throw refusal('cannot push a digest reference');
    if (!all && !isNamed && !quiet) await print.line('Using default tag: latest');
    if (!quiet) await print.line(`The push refers to repository [${fullName(reference)}]`);
    return streamed(async () => {
      const references = all ? await host.images.tagged(reference) : [reference];
      for (const each of references) await pushOne(invocation, each, quiet);
      if (quiet) await print.line(all ? fullName(reference) : formatReference(reference));
      return 0;
    });
  },
};

async function pushOne(
  { flags, host, stdio, print }: Invocation,
  reference: Reference,
  quiet: boolean,
): Promise<void> {
  const platform = flags.string('platform');
  const display = new PullDisplay(stdio, 'out', host.now);
  const pushing = host.images.push(reference, {
    ...(platform !== '' && { platform: parsePlatform(platform) }),
    signal: stdio.signal,
    ...(!quiet && { onProgress: (progress) => display.show(progress) }),
  });
  const { descriptor, insteadOf } = await pushing.finally(() => display.finish());
  if (quiet) return;
  const { digest, size } = descriptor;
  await print.line(`${reference.tag ?? 'latest'}: digest: ${digest} size: ${size}`);
  if (insteadOf === undefined) return;
  await printNote(print, stdio, [
    'Not all multiplatform-content is present and only the available single-platform image was pushed',
    `${insteadOf.digest} -> ${digest}`,
  ]);
}

async function platformNote({ flags, stdio, print }: Invocation): Promise<void> {
  parsePlatform(flags.string('platform'));
  await printNote(print, stdio, [
    'Using --platform pushes only the specified platform manifest of a multi-platform image index.',
    'Other components, like attestations, will not be included.',
    'To push the complete multi-platform image, remove the --platform flag.',
    '',
  ]);
}
