/** Each template of templates.ts, on the document that the real client had, gives what the real client printed. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { typedValue } from '../../src/engine/cli/go-types.ts';
import { CONTAINER_TYPE } from '../../src/engine/cli/inspect-types.ts';
import { parseTemplate } from '../../src/engine/cli/template.ts';
import { UsageError } from '../../src/engine/errors.ts';
import { DOCUMENT, TEMPLATES } from './templates.ts';

interface Recorded {
  readonly version: string;
  readonly results: readonly {
    readonly format: string;
    readonly code: number;
    readonly out: string;
    readonly err: string;
  }[];
}

const recorded: Recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recorded/templates.json'), 'utf8'),
);

describe(`--format, as recorded from ${recorded.version}`, () => {
  it('is recorded for all templates: `tsx tests/golden/record-templates.ts` records them again', () => {
    expect(recorded.results.map(({ format }) => format)).toEqual(TEMPLATES);
  });

  it.each(recorded.results)('$format', ({ format, code, out, err }) => {
    expect(rendered(format)).toEqual({ code, out: code === 0 ? out : '', err });
  });
});

function rendered(format: string) {
  try {
    const out = `${parseTemplate(format).render(typedValue(DOCUMENT, CONTAINER_TYPE))}\n`;
    return { code: 0, out, err: '' };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { code: error.data.exitCode, out: '', err: `${error.message}\n` };
  }
}
