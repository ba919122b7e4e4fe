/** Makes docs/cli.md from the definitions of the commands: `npm run docs:cli`. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandReference } from '../src/engine/cli/reference.ts';
import { projectRoot } from './project-root.ts';

await writeFile(join(projectRoot, 'docs/cli.md'), commandReference());
