/** Light or dark: the system's, until the reader chooses. */

import { readPreference, writePreference } from './preference.ts';

export type Theme = 'light' | 'dark';

const isTheme = (value: unknown): value is Theme | 'system' =>
  value === 'light' || value === 'dark' || value === 'system';

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

class ThemeChoice {
  #chosen = $state<Theme | 'system'>(readPreference('theme', 'system', isTheme));
  #system = $state<Theme>(systemIsDark.matches ? 'dark' : 'light');
  /** What holds now. */
  readonly current: Theme = $derived(this.#chosen === 'system' ? this.#system : this.#chosen);

  constructor() {
    systemIsDark.addEventListener('change', ({ matches }) => {
      this.#system = matches ? 'dark' : 'light';
    });
  }

  toggle(): void {
    const next = this.current === 'dark' ? 'light' : 'dark';
    // back at the system's own theme the page follows it again
    this.#chosen = next === this.#system ? 'system' : next;
    writePreference('theme', this.#chosen);
    if (this.#chosen === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.#chosen;
  }
}

export const theme = new ThemeChoice();
