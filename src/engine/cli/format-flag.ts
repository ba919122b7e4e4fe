/** `--format` of the commands that list: `table`, `table TEMPLATE`, `json`, `TEMPLATE`. */

import { printableName } from '../names.ts';
import type { Flag } from './command.ts';
import type { Printer } from './printer.ts';
import { renderTable } from './table.ts';
import { parseTemplate } from './template.ts';

const INSPECT_FORMATS = `Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates`;

export const LIST_FORMAT_FLAG: Flag = {
  long: 'format',
  type: 'string',
  help: INSPECT_FORMATS.replace(
    "'json'",
    "'table':            Print output in table format with column headers (default)\n" +
      "'table TEMPLATE':   Print output in table format using the given Go template\n'json'",
  ),
};

export const INSPECT_FORMAT_FLAG: Flag = {
  long: 'format',
  short: 'f',
  type: 'string',
  help: INSPECT_FORMATS,
};

/** One line of a list: what each field is called in templates, and what it says. */
export type Row = Readonly<Record<string, string>>;

/** Fields in the order of the table, each with its header. */
export type Columns = Readonly<Record<string, string>>;

export interface Listing {
  readonly rows: readonly Row[];
  /** Columns of the table that is shown when no format says otherwise. */
  readonly columns: readonly string[];
  readonly headers: Columns;
  /** The value of `--format`; '' for none. */
  readonly format: string;
  /** The field to print alone, with `--quiet`. */
  readonly only?: string;
}

/** Prints a list as its format says. UsageError for a template that is none. */
export async function printListing(print: Printer, listing: Listing): Promise<void> {
  const { rows, columns, headers, format, only } = listing;
  if (only !== undefined && (format === '' || format === 'table')) {
    await print.text(rows.map((row) => `${row[only] ?? ''}\n`).join(''));
    return;
  }
  if (format === '' || format === 'table') {
    const cells = (row: Row) => columns.map((column) => printableName(row[column] ?? ''));
    await print.text(renderTable([cells(headers), ...rows.map(cells)]));
    return;
  }
  if (format === 'json') {
    await print.text(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return;
  }
  const isTable = format.startsWith('table');
  const template = parseTemplate(
    unescaped(isTable ? format.slice('table'.length).replace(/^ +| +$/g, '') : format),
  );
  if (!isTable) {
    await print.text(rows.map((row) => `${template.render(row)}\n`).join(''));
    return;
  }
  const lines = [headers, ...rows].map((row) => template.render(row).split('\t'));
  await print.text(renderTable(lines));
}

/** A shell hands over `\t` and `\n` as two characters: Docker's client takes them for the one. */
export function unescaped(text: string): string {
  return text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}
