/**
 * Go's text/template with Docker's functions: what `--format` takes. A template is parsed once and run over many values.
 *
 *     parseTemplate('{{.Name}}').render({ Name: 'web' }) === 'web'
 */

import { UsageError } from '../errors.ts';
import { TemplateError } from './template-error.ts';
import { executeTemplate } from './template-execution.ts';
import { FUNCTIONS, HEADER_FUNCTIONS } from './template-functions.ts';
import { parseNodes } from './template-parser.ts';

export { printed } from './template-values.ts';

export interface Template {
  /** What the template makes of the value. UsageError in Go's words when it cannot. */
  render(value: unknown): string;
  /** The same of the headers of a table, which functions leave as they are. */
  renderHeader(value: unknown): string;
}

/** What stands before Go's words, and the exit codes. */
export interface Wording {
  readonly parsing: string;
  readonly executing: string;
  readonly parsingCode: number;
  /** What the client calls the template in its messages; default: nothing. */
  readonly name?: string;
}

/** Of `docker inspect`, `version`, `info`. */
const INSPECT_WORDING: Wording = {
  parsing: 'template parsing error: ',
  executing: 'template parsing error: ',
  parsingCode: 64,
};

/** Of `docker version`. */
export const VERSION_WORDING: Wording = { ...INSPECT_WORDING, name: 'version' };

/** Of commands that list. */
export const LIST_WORDING: Wording = { ...INSPECT_WORDING, parsingCode: 1 };

/** Of `docker ps`, which looks at the template before it lists. */
export const PS_WORDING: Wording = {
  parsing: 'failed to parse template: ',
  executing: 'failed to execute template: ',
  parsingCode: 1,
};

/** UsageError in Docker's words when the text is no template. */
export function parseTemplate(text: string, wording: Wording = INSPECT_WORDING): Template {
  const parsed = inWords(wording, wording.parsing, wording.parsingCode, () =>
    parseNodes(text, (name) => FUNCTIONS.has(name)),
  );
  const render = (value: unknown, functions: typeof FUNCTIONS) =>
    inWords(wording, wording.executing, 1, () => executeTemplate(parsed, value, functions));
  return {
    render: (value) => render(value, FUNCTIONS),
    renderHeader: (value) => render(value, HEADER_FUNCTIONS),
  };
}

function inWords<T>({ name = '' }: Wording, prefix: string, exitCode: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const message = error.message
      .replace('template: :', `template: ${name}:`)
      .replace('executing ""', `executing "${name}"`);
    throw new UsageError(`${prefix}${message}`, { exitCode, plain: true });
  }
}
