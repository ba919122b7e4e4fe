/** When a container is started again after its program has ended: the policies of Docker, and how long it waits. */

import { LayerboxError, UsageError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { ContainerRecord, RestartPolicy } from '../store/container-record.ts';
import { hostConfigOf } from '../store/container-record.ts';

const NAMES = ['no', 'always', 'on-failure', 'unless-stopped'] as const;

/** Milliseconds; moby, restartmanager.go. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 60_000;
/** A program that ran for so long did start. */
const GOOD_RUN = 10_000;

/**
 * `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:3`. UsageError for what Docker's client refuses,
 * LayerboxError for what its daemon does (opts.ParseRestartPolicy, container.ValidateRestartPolicy).
 */
export function parseRestartPolicy(text: string): RestartPolicy {
  if (text === '') return { name: 'no', maximumRetryCount: 0 };
  const [name = '', count, ...more] = text.split(':');
  if (more.length > 0)
    throw new UsageError(`invalid restart policy format: too many colons`, { plain: true });
  if (count !== undefined && name === '') {
    throw new UsageError('invalid restart policy format: no policy provided before colon', { plain: true });
  }
  if (count !== undefined && !/^[+-]?\d{1,9}$/.test(count)) {
    throw new UsageError('invalid restart policy format: maximum retry count must be an integer', {
      plain: true,
    });
  }
  const maximumRetryCount = Number(count ?? 0);
  const known = NAMES.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new LayerboxError(
      `invalid restart policy: unknown policy '${printableName(name)}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
      { policy: text },
    );
  }
  if (known !== 'on-failure' && maximumRetryCount !== 0) {
    const also = maximumRetryCount < 0 ? ' and cannot be negative' : '';
    throw new LayerboxError(
      `invalid restart policy: maximum retry count can only be used with 'on-failure'${also}`,
      { policy: text },
    );
  }
  if (maximumRetryCount < 0) {
    throw new LayerboxError('invalid restart policy: maximum retry count cannot be negative', {
      policy: text,
    });
  }
  return { name: known, maximumRetryCount };
}

/** True when a program that ended with this code is to be run again. */
export function shouldRestart(record: ContainerRecord, exitCode: number): boolean {
  const { name, maximumRetryCount } = hostConfigOf(record).restart;
  if (name === 'always') return true;
  if (name === 'unless-stopped') return record.isManuallyStopped !== true;
  if (name === 'no' || exitCode === 0) return false;
  return maximumRetryCount === 0 || (record.restartCount ?? 0) < maximumRetryCount;
}

/**
 * True when a container that is not running is started with the host, as after a restart of Docker's daemon: one that
 * was stopped by hand only with `always`, one that never ran not at all.
 */
export function startsWithHost(record: ContainerRecord): boolean {
  if (record.state.startedAt === 0) return false;
  const { name } = hostConfigOf(record).restart;
  return name === 'always' || (name === 'unless-stopped' && record.isManuallyStopped !== true);
}

/** Milliseconds to wait before the next start: twice as long each time, up to a minute, until it ran for ten seconds. */
export function nextWait(lastWait: number, ranFor: number): number {
  if (lastWait === 0 || ranFor >= GOOD_RUN) return FIRST_WAIT;
  return Math.min(lastWait * 2, LONGEST_WAIT);
}
