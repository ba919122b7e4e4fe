/** `docker events --filter` (moby, daemon/events/filter.go). Values of one name are alternatives, different names must all fit. */

import type { DockerEvent } from '../container/event-history.ts';
import { parseFilters } from './filter.ts';

const NAMES = [
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'plugin',
  'scope',
  'type',
  'volume',
];
/** Their action has more behind a colon, which a filter without one leaves open. */
const LONG_ACTIONS = ['exec_create', 'exec_start', 'health_status'];

/** LayerboxError in Docker's words for a filter that is none. */
export function eventFilter(texts: readonly string[]): (event: DockerEvent) => boolean {
  const filters = parseFilters(texts, NAMES);
  return (event) => [...filters].every(([name, values]) => values.some((value) => fits(event, name, value)));
}

function fits(event: DockerEvent, name: string, value: string): boolean {
  const { type, action, id, attributes } = event;
  switch (name) {
    case 'type':
      return type === value;
    case 'scope':
      return value === 'local';
    case 'event':
      return action === value || (LONG_ACTIONS.includes(value) && action.startsWith(`${value}: `));
    case 'label': {
      const equals = value.indexOf('=');
      if (equals < 0) return Object.hasOwn(attributes, value);
      return attributes[value.slice(0, equals)] === value.slice(equals + 1);
    }
    case 'image': {
      if (type !== 'image' && type !== 'container') return false;
      const names = type === 'image' ? [id, attributes.name ?? ''] : [attributes.image ?? ''];
      return names.some((image) => image === value || image.replace(/[:@][^/]*$/, '') === value);
    }
    case 'container':
    case 'volume':
    case 'network':
      return type === name && (id.startsWith(value) || attributes.name === value);
    default: // daemons and plugins have no events here
      return false;
  }
}
