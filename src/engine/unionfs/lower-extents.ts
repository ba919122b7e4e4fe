/** Where the content of a file of the lowers lies: in one piece, or where a sparse file has any. */

import type { StackIndex } from '../layer/stack.ts';
import { Extents } from './extents.ts';

/** The extents of a file that is not copied up; what none covers is zeros. */
export function lowerExtents(stack: StackIndex, number: number): Extents {
  const extents = new Extents();
  let at = stack.offset(number);
  for (const { start, length } of stack.extents(number) ?? [{ start: 0, length: stack.size(number) }]) {
    extents.put(start, start + length, undefined, at);
    at += length;
  }
  return extents;
}
