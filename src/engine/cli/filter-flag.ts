/** The flag that takes filters, in the words that each command has for it. */

import type { Flag } from './command.ts';

/** A flag of `name=value`; '' for no short one. */
export function fieldFlag(long: string, short: string, help: string): Flag {
  return {
    long,
    ...(short !== '' && { short }),
    type: 'list',
    typeName: 'filter',
    help,
    check: (value) => (value.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
  };
}
