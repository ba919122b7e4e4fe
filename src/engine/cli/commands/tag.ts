import { InvalidReferenceError, UsageError } from '../../errors.ts';
import { printableName } from '../../names.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import type { Command } from '../command.ts';

export const tag: Command = {
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  aliases: ['docker image tag', 'docker tag'],
  flags: [],
  wordCount: { min: 2, max: 2 },
  run: async ({ words: [source = '', target = ''], host }) => {
    const reference = targetOf(target);
    await host.images.tag(await host.images.resolve(source), reference);
    return 0;
  },
};

/** UsageError in the words of Docker's client: it looks at the target before it asks its daemon. */
function targetOf(text: string): Reference {
  const refuse = (why: string) =>
    new UsageError(
      `Error parsing reference: ${JSON.stringify(printableName(text))} is not a valid repository/tag: ${why}`,
      {
        exitCode: 1,
        plain: true,
      },
    );
  let reference: Reference;
  try {
    reference = parseReference(text);
  } catch (error) {
    if (error instanceof InvalidReferenceError) throw refuse(error.message);
    throw error;
  }
  if (reference.digest !== undefined) {
    throw new UsageError('refusing to create a tag with a digest reference', { exitCode: 1, plain: true });
  }
  return reference;
}
