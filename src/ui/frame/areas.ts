/** The three areas of the page, and the keys that lead from one to another. */

export type Area = 'list' | 'view' | 'terminal';

export const areas: readonly { readonly area: Area; readonly name: string }[] = [
  { area: 'list', name: 'Lists' },
  { area: 'view', name: 'Layers' },
  { area: 'terminal', name: 'Terminal' },
];

const arrows: Readonly<Record<Area, Readonly<Record<string, Area>>>> = {
  list: { ArrowRight: 'view', ArrowDown: 'terminal' },
  view: { ArrowLeft: 'list', ArrowDown: 'terminal' },
  terminal: { ArrowUp: 'view', ArrowLeft: 'list', ArrowRight: 'view' },
};

type Keys = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey'>;

/** Keys that the page takes even in the terminal: Ctrl-Shift with an arrow, as its foot says. */
export function isPageKey({ key, ctrlKey, shiftKey, altKey, metaKey }: Keys): boolean {
  return ctrlKey && shiftKey && !altKey && !metaKey && /^Arrow(?:Up|Down|Left|Right)$/.test(key);
}

/** Where an arrow leads from an area; undefined when there is nothing on that side. */
export function areaTowards(from: Area, key: string): Area | undefined {
  return arrows[from][key];
}
