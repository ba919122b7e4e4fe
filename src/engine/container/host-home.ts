/** The learner's home: what of the host's files is durable, and can be read without the guest. */

/** The name under which the machine knows the tree of it. */
export const HOST_TREE = 'host';
/** Where the machine's host side has that tree: the home of its user. */
export const HOST_HOME = '/root';

/** The path within the home's tree of an absolute path of the host; undefined for what lies elsewhere. */
export function pathAtHome(path: string): string | undefined {
  if (path === HOST_HOME) return '/';
  return path.startsWith(`${HOST_HOME}/`) ? path.slice(HOST_HOME.length) : undefined;
}
