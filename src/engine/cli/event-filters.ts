/**
 * `docker events --filter` (moby, daemon/events/filter.go). Values of one name are alternatives, but labels, which must all
 * be there; different names must all fit.
 */

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
  return (event) =>
    [...filters].every(([name, values]) => {
      const isFit = (value: string) => fits(event, name, value);
      return name === 'label' ? values.every(isFit) : values.some(isFit);
    });
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
      const names = [id, (type === 'image' ? attributes.name : attributes.image) ?? ''];
      return names.some((image) => image === value || image.replace(/[:@][^/]*$/, '') === value);
    }
    default: // the name of a kind of objects: whatever is called so, of that kind or another, as with Docker's daemon
      return id.startsWith(value) || (attributes.name ?? '').startsWith(value);
  }
}
