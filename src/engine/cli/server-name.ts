/** The SERVER of `docker login` and `docker logout`. */

import { printableName } from '../names.ts';
import { refusal } from './refusal.ts';

/** Docker Hub as references have it. */
export const DOCKER_HUB = 'docker.io';

/** Names that Docker Hub goes by. */
const HUB_NAMES: ReadonlySet<string> = new Set([
  '',
  DOCKER_HUB,
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
]);

/** The registry's name, without scheme and path; Docker Hub for none. UsageError for what is no host. */
export function serverName(text: string): string {
  const host = text.replace(/^https?:\/\//, '').replace(/\/.*$/s, '');
  if (HUB_NAMES.has(host)) return DOCKER_HUB;
  if (/^(?:[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host))
    return host;
  throw refusal(
    `unable to parse server address: ${JSON.stringify(printableName(text))} is no host name, as registry.example or localhost:5000`,
  );
}
