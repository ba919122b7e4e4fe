import { printableName } from '../../names.ts';
import type { Command, Flag, Invocation } from '../command.ts';
import { errorText } from '../error-text.ts';
import { INSPECT_FORMAT_FLAG } from '../format-flag.ts';
import { type GoType, typedValue } from '../go-types.ts';
import { CONTAINER, IMAGE, type InspectedKind, KINDS } from '../inspected-objects.ts';
import { jsonOf } from '../json-text.ts';
import { refusal } from '../refusal.ts';
import { parseTemplate } from '../template.ts';

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
    const { flags } = invocation;
    const kinds = flags.given('type') ? [kindNamed(flags.string('type'))] : KINDS;
    return inspectWords(invocation, kinds, flags.bool('size'));
  },
};

export const containerInspect: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Display detailed information on one or more containers',
  aliases: [],
  flags: [INSPECT_FORMAT_FLAG, SIZE_FLAG],
  wordCount: { min: 1 },
  run: (invocation) => inspectWords(invocation, [CONTAINER], invocation.flags.bool('size')),
};

export const imageInspect: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Display detailed information on one or more images',
  aliases: [],
  flags: [INSPECT_FORMAT_FLAG],
  later: ['platform='],
  wordCount: { min: 1 },
  run: (invocation) => inspectWords(invocation, [IMAGE], false),
};

/** Kinds of Docker's that Layerbox has not. */
const OTHER_KINDS = ['config', 'network', 'node', 'plugin', 'secret', 'service', 'task', 'volume'];

/** UsageError in Docker's words. */
function kindNamed(type: string): InspectedKind {
  const kind = KINDS.find(({ name }) => name === type);
  if (kind !== undefined) return kind;
  const all = [...new Set([...OTHER_KINDS, ...KINDS.map(({ name }) => name)])].sort();
  const known = all.map((name) => JSON.stringify(name)).join(', ');
  const message =
    type === ''
      ? `type is empty: must be one of ${known}`
      : all.includes(type)
        ? `docker: inspecting a ${type} is not yet supported by Layerbox`
        : `unknown type: ${JSON.stringify(printableName(type))}: must be one of ${known}`;
  throw refusal(message);
}

/** Prints what was found, then tells what was not; a template that does not fit ends it. */
export async function inspectWords(
  { words, flags, host, print }: Invocation,
  kinds: readonly InspectedKind[],
  sized: boolean,
): Promise<number> {
  const format = flags.string('format');
  const template = format === '' || format === 'json' ? undefined : parseTemplate(format);
  const found: { readonly document: unknown; readonly type: GoType }[] = [];
  const missing: string[] = [];
  for (const word of words) {
    const result = await lookUp(host, word, kinds, sized);
    if (typeof result === 'string') missing.push(result);
    else found.push(result);
  }
  let fault: unknown;
  if (template === undefined) {
    const documents = found.map(({ document }) => document);
    await print.line(jsonOf(documents, format === 'json' ? undefined : 4));
  } else {
    let text = '';
    try {
      for (const { document, type } of found) text += `${template.render(typedValue(document, type))}\n`;
    } catch (error) {
      fault = error;
    }
    // as Docker's client: an empty line where there would have been something
    await print.text(text === '' ? '\n' : text);
  }
  if (fault !== undefined) throw fault;
  if (missing.length > 0) await print.error(missing.join('\n'));
  return missing.length > 0 ? 1 : 0;
}

/** What was found, or what to say of that nothing was. */
async function lookUp(
  host: Invocation['host'],
  word: string,
  kinds: readonly InspectedKind[],
  sized: boolean,
): Promise<{ readonly document: unknown; readonly type: GoType } | string> {
  const [only, ...others] = kinds;
  if (word === '' && only !== undefined) return `invalid ${only.name} name or ID: value is empty`;
  for (const { find, isMissing, type } of kinds) {
    try {
      return { document: await find(host, word, sized), type };
    } catch (error) {
      if (!isMissing(error)) throw error;
      // of one kind the daemon itself says that there is none
      if (only !== undefined && others.length === 0) return errorText(error);
    }
  }
  return `Error: No such object: ${printableName(word)}`;
}
