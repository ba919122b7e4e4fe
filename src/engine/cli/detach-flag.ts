/** `--detach-keys` and `--sig-proxy`: how a command is joined to a program. */

import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../container/detach-keys.ts';
import type { Flag } from './command.ts';
import type { ParsedFlags } from './parse.ts';

export const DETACH_KEYS_FLAG: Flag = {
  long: 'detach-keys',
  type: 'string',
  help: 'Override the key sequence for detaching a container',
};

/** The sequence that the flag names, or Docker's own. UsageError. */
export function detachKeysOf(flags: ParsedFlags): Uint8Array {
  const text = flags.string('detach-keys');
  return parseDetachKeys(text === '' ? DEFAULT_DETACH_KEYS : text);
}
