/** The view that the page's URL names. Going there is following a link: nothing is ever run by it. */

import { parseRoute } from './route.ts';

class PageLocation {
  #hash = $state(window.location.hash);
  readonly route = $derived(parseRoute(this.#hash));

  constructor() {
    window.addEventListener('hashchange', () => {
      this.#hash = window.location.hash;
    });
  }
}

export const pageLocation = new PageLocation();
