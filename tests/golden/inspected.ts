/** Whole documents that are compared with what the docker client makes of them, and where the two differ. */

export const INSPECTED = [
  'container inspect -s db',
  'container inspect made',
  'image inspect layerbox/site',
  'volume inspect kept',
  'network inspect front',
  'network inspect back',
] as const;

const NINE_DIGITS = 'all nine digits of the nanoseconds are there, where Go leaves out zeros at the end';

/** Fields that differ, each with the reason; a field stands for all that is in it. */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  Created: NINE_DIGITS,
  'State.Health.Log.0.Start': NINE_DIGITS,
  'State.Health.Log.0.End': NINE_DIGITS,
};
