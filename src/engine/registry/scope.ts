/** Scopes of tokens (distribution: "Token Scope Documentation"): `repository:library/busybox:pull,push`. */

/** A scope for one repository. */
export function repositoryScope(repository: string, actions: 'pull' | 'pull,push' | 'delete'): string {
  return `repository:${repository}:${actions}`;
}

/** What the list of repositories needs. */
export const CATALOG_SCOPE = 'registry:catalog:*';

/**
 * Lists of scopes, each separated by spaces, as one without repetition: the
 * actions on one resource joined, in the order in which they first came.
 */
export function mergeScopes(...lists: readonly string[]): readonly string[] {
  const resources = new Map<string, Set<string>>();
  for (const scope of lists.flatMap((list) => list.split(' '))) {
    if (scope === '') continue;
    const colon = scope.lastIndexOf(':');
    const resource = colon < 0 ? scope : scope.slice(0, colon);
    const actions = resources.get(resource) ?? new Set<string>();
    resources.set(resource, actions);
    if (colon < 0) continue;
    for (const action of scope.slice(colon + 1).split(',')) actions.add(action);
  }
  return [...resources].map(([resource, actions]) =>
    actions.size === 0 ? resource : `${resource}:${[...actions].join(',')}`,
  );
}
