/** What the event stream is told of containers, with the attributes that Docker's daemon gives (moby, daemon/events.go). */

import type { ContainerAction, EventAttributes, SandboxEvent } from '../events.ts';
import type { ContainerRecord } from '../store/container-record.ts';

export interface EventDetails {
  readonly exitCode?: number;
  /** Behind the action's name. */
  readonly detail?: string;
  readonly attributes?: EventAttributes;
}

/** Labels first: they cannot pass for what the daemon says. */
export function containerEvent(
  action: ContainerAction,
  { id, name, image, config }: ContainerRecord,
  { exitCode, detail, attributes }: EventDetails = {},
): SandboxEvent {
  return {
    type: 'container',
    action,
    id,
    name,
    ...(exitCode !== undefined && { exitCode }),
    ...(detail !== undefined && { detail }),
    attributes: {
      ...config.labels,
      ...(exitCode !== undefined && { exitCode: String(exitCode) }),
      ...attributes,
      image,
      name,
    },
  };
}
