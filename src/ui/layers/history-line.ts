/** A line of an image's history as a reader of Dockerfiles knows it. */

/** `/bin/sh -c #(nop) CMD ["sh"]` is `CMD ["sh"]`, `/bin/sh -c make` is `RUN make`; BuildKit's own form loses its mark. */
export function historyLine(createdBy: string): string {
  const line = createdBy.replace(/\s+/g, ' ').trim();
  const nop = /^\/bin\/sh -c #\(nop\) ?(.*)$/.exec(line)?.[1];
  if (nop !== undefined) return nop.trim();
  const shell = /^(?:\|\d+ (?:\S+=\S* )*)?\/bin\/(?:ba)?sh -c (.+)$/.exec(line)?.[1];
  if (shell !== undefined) return `RUN ${shell.replace(/ # buildkit$/, '')}`;
  return line.replace(/ # buildkit$/, '').replace(/^RUN \/bin\/sh -c /, 'RUN ');
}
