import { InvalidReferenceError } from '../../errors.ts';
import { printableName } from '../../names.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import type { Command } from '../command.ts';
import { refusal } from '../refusal.ts';

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
  let reference: Reference;
  try {
    reference = parseReference(text);
  } catch (error) {
    if (!(error instanceof InvalidReferenceError)) throw error;
    const shown = JSON.stringify(printableName(text));
    throw refusal(`Error parsing reference: ${shown} is not a valid repository/tag: ${error.message}`);
  }
  if (reference.digest !== undefined) {
    throw refusal('refusing to create a tag with a digest reference');
  }
  return reference;
}
