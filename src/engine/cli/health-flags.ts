/** `--health-cmd` and its like: what a container's command line says of its health check. */

import type { Healthcheck } from '../oci/config.ts';
import type { Flag } from './command.ts';
import type { ParsedFlags } from './parse.ts';
import { durationFault, parseDuration } from './quantities.ts';
import { refusal } from './refusal.ts';

const DURATION = { type: 'string', typeName: 'duration', check: durationFault } as const;
const ZERO = ' (default 0s)';

export const HEALTH_FLAGS: readonly Flag[] = [
  { long: 'health-cmd', type: 'string', help: 'Command to run to check health' },
  { long: 'health-interval', ...DURATION, help: `Time between running the check (ms|s|m|h)${ZERO}` },
  { long: 'health-retries', type: 'int', help: 'Consecutive failures needed to report unhealthy' },
  {
    long: 'health-start-interval',
    ...DURATION,
    help: `Time between running the check during the start period (ms|s|m|h)${ZERO}`,
  },
  {
    long: 'health-start-period',
    ...DURATION,
    help: `Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)${ZERO}`,
  },
  { long: 'health-timeout', ...DURATION, help: `Maximum time to allow one check to run (ms|s|m|h)${ZERO}` },
  { long: 'no-healthcheck', type: 'bool', help: 'Disable any container-specified HEALTHCHECK' },
];

/** Undefined when the flags say nothing of it. UsageError in the words of Docker's client. */
export function healthcheckOf(flags: ParsedFlags): Healthcheck | undefined {
  const command = flags.string('health-cmd');
  const given = HEALTH_FLAGS.filter(({ long }) => long.startsWith('health-') && flags.given(long));
  if (flags.bool('no-healthcheck')) {
    if (given.length > 0) throw refusal('--no-healthcheck conflicts with --health-* options');
    return { test: ['NONE'], interval: 0, timeout: 0, startPeriod: 0, retries: 0 };
  }
  if (given.length === 0) return undefined;
  const duration = (name: string) => {
    const value = flags.given(name) ? (parseDuration(flags.string(name)) ?? 0) : 0;
    if (value < 0) throw refusal(`--${name} cannot be negative`);
    return value;
  };
  const interval = duration('health-interval');
  const timeout = duration('health-timeout');
  const retries = flags.int('health-retries');
  if (retries < 0) throw refusal('--health-retries cannot be negative');
  return {
    test: command === '' ? [] : ['CMD-SHELL', command],
    interval,
    timeout,
    retries,
    startPeriod: duration('health-start-period'),
    startInterval: duration('health-start-interval'),
  };
}
