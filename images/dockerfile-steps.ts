/** The instructions of the images' own Dockerfiles, for their history: one a line, no continuations. */

import { readFileSync } from 'node:fs';

/** All but FROM and comments; COPY, ADD and RUN make a layer. */
export function dockerfileSteps(file: string): readonly { instruction: string; layer: boolean }[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('FROM '))
    .map((instruction) => ({ instruction, layer: /^(?:COPY|ADD|RUN) /.test(instruction) }));
}
