/** `--init`: a small program of the host's is the container's first, as Docker's tini is. */

import type { Bind } from './machine.ts';

const TARGET = '/sbin/docker-init';

/** Where the guest's host side has it, and where Docker puts it. */
export const INIT_BIND: Bind = { source: '/usr/lib/layerbox/init', target: TARGET, readOnly: true };

/** Before the words of the container's own program. */
export const INIT_WORDS: readonly string[] = [TARGET, '--'];
