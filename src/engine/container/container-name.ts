/** Names of containers: which may be given, and what an unnamed one is called. */

import { LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';
import { hexOf } from '../oci/digest.ts';

/** Random bytes, as many as asked for. */
export type Random = (length: number) => Uint8Array;

const ADJECTIVES = (
  'amber ample brave breezy bright brisk calm candid cheerful clever cosy crisp curious daring deft eager earnest ' +
  'easy fair fleet fond frank fresh gentle glad golden grand hardy hasty humble jolly keen kind lively lucid lucky ' +
  'mellow merry mighty mindful modest neat nimble noble patient placid plucky polite proud quick quiet rapid ready ' +
  'rosy rugged serene sharp silent silver sleek smooth snug sober solid spry steady stout sturdy sunny swift tidy ' +
  'tranquil trusty upbeat vivid warm wise witty young zesty'
).split(' ');

/** What one meets on the water and in a harbour. */
const NOUNS = (
  'anchor albatross beacon bollard bosun bowline breaker brig buoy capstan caravel catamaran clipper compass coral ' +
  'cormorant crane current cutter delta derrick dinghy dock dory estuary ferry fjord frigate galleon gannet gull ' +
  'halyard harbour heron hull islet jetty kayak keel kelp ketch lagoon lantern lighthouse lugger marina mast mooring ' +
  'narwhal oar orca otter packet pelican petrel pier pilot plover porpoise puffin quay raft reef rigging rudder ' +
  'sail sailor schooner seal sextant shoal skiff skipper sloop spinnaker sponson starboard strait surf swell tern ' +
  'tide tiller trawler tug turtle walrus wharf windlass yawl'
).split(' ');

/** `nimble_otter`; from the third try on with a digit, as the free names run out. */
export function generateName(random: Random, taken: (name: string) => boolean): string {
  for (let round = 0; ; round += 1) {
    const name = `${pick(ADJECTIVES, random)}_${pick(NOUNS, random)}${round < 2 ? '' : pick([...'0123456789'], random)}`;
    if (!taken(name)) return name;
    if (round > 200) return `container_${hexOf(random(8))}`;
  }
}

function pick(words: readonly string[], random: Random): string {
  const [high = 0, low = 0] = random(2);
  return words[(high * 256 + low) % words.length] ?? '';
}

/** 64 hexadecimal digits; its first twelve are never all decimal, as Docker avoids that for host names. */
export function generateID(random: Random): string {
  for (;;) {
    const id = hexOf(random(32));
    if (!/^\d{12}/.test(id)) return id;
  }
}

/** The name without the slash that Docker's API puts before it. LayerboxError in Docker's words. */
export function checkName(text: string): string {
  const name = text.startsWith('/') ? text.slice(1) : text;
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return name;
  throw new LayerboxError(
    `Invalid container name (${printableName(name)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    { name },
  );
}
