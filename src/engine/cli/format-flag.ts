/** `--format` of the commands that list: `table`, `table TEMPLATE`, `json`, `TEMPLATE`. */

import { printableName } from '../names.ts';
import type { Flag } from './command.ts';
import type { Printer } from './printer.ts';
import { renderTable } from './table.ts';
import { LIST_WORDING, parseTemplate, type Wording } from './template.ts';
import { GoStruct } from './template-values.ts';

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
  /** What Go's messages call a row: `*formatter.ContainerContext`. */
  readonly type?: string;
  /** Of each row, for `{{.Label "name"}}`. */
  readonly labels?: readonly Readonly<Record<string, string>>[];
  /** Of each row, members that `json` writes otherwise than the row has them. */
  readonly members?: readonly Readonly<Record<string, unknown>>[];
  /** What is said of a template that is wrong; default: the words of most commands. */
  readonly wording?: Wording;
  /** The template that `--format raw` stands for. */
  readonly raw?: string;
}

/** Prints a list as its format says. UsageError for a template that is none. */
export async function printListing(print: Printer, listing: Listing): Promise<void> {
  const { rows, columns, headers, format, only } = listing;
  if (only !== undefined && (format === '' || format === 'table')) {
    await print.text(rows.map((row) => `${printableName(row[only] ?? '')}\n`).join(''));
    return;
  }
  if (format === '' || format === 'table') {
    const cells = (row: Row) => columns.map((column) => printableName(row[column] ?? ''));
    await print.text(renderTable([cells(headers), ...rows.map(cells)]));
    return;
  }
  const isTable = format.startsWith('table');
  const isRaw = format === 'raw' && listing.raw !== undefined;
  const text = isRaw ? (listing.raw ?? '') : format === 'json' ? '{{json .}}' : unescaped(format);
  const template = parseTemplate(
    isTable ? text.slice('table'.length).replace(/^ +| +$/g, '') : text,
    listing.wording ?? LIST_WORDING,
  );
  const lines: string[] = [];
  let fault: unknown;
  for (const context of rows.map((_, index) => contextOf(listing, index))) {
    try {
      lines.push(template.render(context));
    } catch (error) {
      fault = error; // as with Docker's client, what came before is printed
      break;
    }
  }
  if (!isTable) await print.text(lines.map((line) => `${line}\n`).join(''));
  else if (fault === undefined) {
    const header = template.renderHeader(headerOf(headers));
    await print.text(
      renderTable([header, ...lines].flatMap((line) => line.split('\n')).map((line) => line.split('\t'))),
    );
  }
  if (fault !== undefined) throw fault;
}

/** A row as Docker's templates see it: fields, and what `json` makes of all of them. */
function contextOf({ rows, labels, members, type = '*formatter.Context' }: Listing, index: number): GoStruct {
  const row = rows[index] ?? {};
  const own = labels?.[index] ?? {};
  return new GoStruct(type, Object.entries(row), {
    document: { ...row, ...members?.[index] },
    fallsBack: false,
    ...(labels !== undefined && {
      methods: new Map([
        ['Label', { parameters: 1, call: (name = '') => (Object.hasOwn(own, name) ? own[name] : '') }],
      ]),
    }),
  });
}

/** The header of a label is the last part of its name. */
function headerOf(headers: Columns): GoStruct {
  const label = (name = '') => (name.split('.').at(-1) ?? '').replace(/[-_]/g, ' ');
  return new GoStruct('formatter.SubHeaderContext', Object.entries(headers), {
    document: headers,
    fallsBack: true,
    methods: new Map([['Label', { parameters: 1, call: label }]]),
  });
}

/** A shell hands over `\t` and `\n` as two characters: Docker's client takes them for the one. */
export function unescaped(text: string): string {
  return text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}
