/** v86, evaluated as hidden-worker.ts explains. The order of the imports matters. */

import './hidden-worker.ts';
import { V86 } from 'v86';
import { showWorker } from './hidden-worker.ts';

showWorker();

export { V86 };
/** Of the package that this was written for and that node_modules has; a test compares the two. */
export const V86_VERSION = '0.5.462+g5f9a90f';
