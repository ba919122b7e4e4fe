/** docs/filesystem.md says what the suites found; it must say what they find. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from './limits.ts';
import { folder, readCases, readExpected } from './suite.ts';

const { cases } = readCases();
const expected = readExpected(cases);
const text = readFileSync(join(folder, '../../docs/filesystem.md'), 'utf8');

describe('docs/filesystem.md', () => {
  it.each([...new Set(cases.map((one) => one.group))])('has the row of %s', (group) => {
    const its = cases.filter((one) => one.group === group);
    const operations = its.reduce((sum, { number }) => sum + (expected[number]?.length ?? 0), 0);
    const limits = LIMITS.filter((limit) => limit.group === group).length;
    const result = limits === 0 ? 'as Linux' : `as Linux but for ${limits}`;
    expect(text).toContain(`| ${group} | ${its.length} | ${operations} | ${result} |`);
  });

  it.each(LIMITS.map(({ group, title, why }) => [`${group} ${title}`, why]))('cites %s', (_, why) => {
    // as Markdown has it: the sentence up to its reason
    expect(text).toContain(why);
  });

  it('has no case twice', () => {
    const titles = cases.map(({ group, title }) => `${group}: ${title}`);
    expect(new Set(titles).size).toBe(titles.length);
  });
});
