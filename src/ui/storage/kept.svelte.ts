/** Whether the browser has promised to keep what this page stores, and asking it to. */

import { isBoolean, readPreference, writePreference } from '../preference.ts';

export class Kept {
  /** Undefined: not known yet, or this browser makes no promises. */
  promised = $state<boolean | undefined>();
  /** It was asked, and did not promise. */
  refused = $state(false);
  /** The reader does not want to be reminded. */
  dismissed = $state(readPreference('keep-dismissed', false, isBoolean));

  constructor() {
    // a browser that cannot say makes no promise either
    void navigator.storage?.persisted?.().then(
      (promised) => {
        this.promised = promised;
      },
      () => undefined,
    );
  }

  /** Asks the browser, which may ask the reader (Storage Standard, section 4). */
  async ask(): Promise<void> {
    this.promised = await navigator.storage.persist();
    this.refused = !this.promised;
  }

  dismiss(): void {
    this.dismissed = true;
    writePreference('keep-dismissed', true);
  }
}

export const kept = new Kept();
