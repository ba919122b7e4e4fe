import { inspectContainer } from '../../container/inspection.ts';
import { InvalidReferenceError, NoSuchContainerError, NoSuchImageError, UsageError } from '../../errors.ts';
import { printableName } from '../../names.ts';
import type { Command, Flag, Invocation } from '../command.ts';
import type { DockerHost } from '../docker-host.ts';
import { INSPECT_FORMAT_FLAG, unescaped } from '../format-flag.ts';
import { parseTemplate } from '../template.ts';

type ObjectType = 'container' | 'image';

const SIZE_FLAG: Flag = { long: 'size', short: 's', type: 'bool', help: 'Display total file sizes' };

export const inspect: Command = {
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  summary: 'Return low-level information on Docker objects',
  aliases: [],
  flags: [
    INSPECT_FORMAT_FLAG,
    { ...SIZE_FLAG, help: 'Display total file sizes if the type is container' },
    { long: 'type', type: 'string', help: 'Only inspect objects of the given type' },
  ],
  wordCount: { min: 1 },
  run: (invocation) => {
    const type = invocation.flags.string('type');
    return inspectWords(invocation, typesOf(type), invocation.flags.bool('size'), (word) =>
      type === '' ? `Error: No such object: ${word}` : `Error: No such ${type}: ${word}`,
    );
  },
};

export const containerInspect: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Display detailed information on one or more containers',
  aliases: [],
  flags: [INSPECT_FORMAT_FLAG, SIZE_FLAG],
  wordCount: { min: 1 },
  run: (invocation) =>
    inspectWords(
      invocation,
      ['container'],
      invocation.flags.bool('size'),
      (word) => `Error response from daemon: No such container: ${word}`,
    ),
};

export const imageInspect: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Display detailed information on one or more images',
  aliases: [],
  flags: [INSPECT_FORMAT_FLAG],
  later: ['platform='],
  wordCount: { min: 1 },
  run: (invocation) =>
    inspectWords(
      invocation,
      ['image'],
      false,
      (word) => `Error response from daemon: No such image: ${word}`,
    ),
};

const LATER_TYPES = ['config', 'network', 'node', 'plugin', 'secret', 'service', 'task', 'volume'];

/** The kinds to look for, in this order. UsageError in Docker's words. */
function typesOf(type: string): readonly ObjectType[] {
  if (type === '') return ['container', 'image'];
  if (type === 'container' || type === 'image') return [type];
  if (LATER_TYPES.includes(type)) {
    throw new UsageError(`docker: inspecting a ${type} is not yet supported by Layerbox`, {
      exitCode: 1,
      plain: true,
    });
  }
  const known = ['container', 'image', ...LATER_TYPES].sort().map((name) => `"${name}"`);
  throw new UsageError(`unknown type: ${JSON.stringify(type)}: must be one of ${known.join(', ')}`, {
    exitCode: 1,
    plain: true,
  });
}

/** Prints what was found, then tells what was not. */
async function inspectWords(
  { words, flags, host, print }: Invocation,
  types: readonly ObjectType[],
  sized: boolean,
  notFound: (word: string) => string,
): Promise<number> {
  const format = flags.string('format');
  const template = format === '' || format === 'json' ? undefined : parseTemplate(unescaped(format));
  const found: unknown[] = [];
  const missing: string[] = [];
  for (const word of words) {
    const document = await lookUp(host, word, types, sized);
    if (document === undefined) missing.push(notFound(printableName(word)));
    else found.push(document);
  }
  if (template !== undefined) {
    await print.text(found.map((document) => `${template.render(document)}\n`).join(''));
    // as Docker's client: an empty line where there would have been something
    if (found.length === 0) await print.line('');
  } else {
    await print.line(JSON.stringify(found, undefined, format === 'json' ? undefined : 4));
  }
  if (missing.length > 0) await print.error(missing.join('\n'));
  return missing.length > 0 ? 1 : 0;
}

async function lookUp(
  host: DockerHost,
  word: string,
  types: readonly ObjectType[],
  sized: boolean,
): Promise<unknown> {
  for (const type of types) {
    try {
      if (type === 'image') return await host.images.inspect(await host.images.resolve(word));
      const record = host.containers.resolve(word);
      return inspectContainer(record, sized ? await host.containers.sizes(record.id) : undefined);
    } catch (error) {
      const isMissing =
        error instanceof NoSuchContainerError ||
        error instanceof NoSuchImageError ||
        error instanceof InvalidReferenceError;
      if (!isMissing) throw error;
    }
  }
  return undefined;
}
