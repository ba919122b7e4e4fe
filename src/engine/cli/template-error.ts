/** What is wrong with a template, in the words of Go's text/template. */

import { quoted } from './go-text.ts';

/** A template cannot be parsed, or (with `node`) cannot be executed on this value. */
export class TemplateError extends Error {
  /** `at` is an index into the template; `node` the text of what was being evaluated. */
  constructor(template: string, at: number, message: string, node?: string) {
    const before = template.slice(0, at);
    const line = before.split('\n').length;
    // Go counts bytes from the beginning of the line
    const column = new TextEncoder().encode(before.slice(before.lastIndexOf('\n') + 1)).length;
    super(
      node === undefined
        ? `template: :${line}: ${message}`
        : `template: :${line}:${column}: executing ${quoted('')} at <${node}>: ${message}`,
    );
  }
}
