/** The open terminals: one tab, one shell of the host. */

export interface TerminalTabEntry {
  readonly id: number;
  readonly label: string;
}

export class Terminals {
  tabs = $state.raw<readonly TerminalTabEntry[]>([]);
  active = $state(0);
  /** True once something was typed by the reader, or for the reader. */
  used = $state(false);
  /** Grows whenever the terminal was asked for: where it is not on screen, it has to come there. */
  asked = $state(0);
  readonly #typists = new Map<number, (text: string) => void>();
  readonly #focusers = new Map<number, () => void>();
  readonly #pending = new Map<number, string>();
  #last = 0;

  /** A new tab on top, with `command` typed once its shell is there; the reader runs it. */
  open(label = 'host', command?: string): void {
    this.#last += 1;
    const same = this.tabs.filter((tab) => tab.label === label || tab.label.startsWith(`${label} `)).length;
    this.tabs = [...this.tabs, { id: this.#last, label: same === 0 ? label : `${label} ${same + 1}` }];
    this.active = this.#last;
    if (command !== undefined) this.#type(this.#last, command);
  }

  /** Types into the active tab, and gives it the focus. */
  type(command: string): void {
    if (this.tabs.length === 0) this.open();
    this.#type(this.active, command);
    this.focus();
  }

  show(id: number): void {
    this.active = id;
  }

  close(id: number): void {
    const place = this.tabs.findIndex((tab) => tab.id === id);
    this.tabs = this.tabs.filter((tab) => tab.id !== id);
    const neighbour = this.tabs[Math.min(place, this.tabs.length - 1)];
    if (this.active === id && neighbour !== undefined) this.active = neighbour.id;
    // a page without a terminal is a dead end
    if (this.tabs.length === 0) this.open();
  }

  focus(): void {
    this.#focusers.get(this.active)?.();
  }

  /** A tab's terminal says how it is typed into and focused; returns what takes that back. */
  attach(id: number, type: (text: string) => void, focus: () => void): () => void {
    this.#typists.set(id, type);
    this.#focusers.set(id, focus);
    const waiting = this.#pending.get(id);
    this.#pending.delete(id);
    if (waiting !== undefined) type(waiting);
    return () => {
      this.#typists.delete(id);
      this.#focusers.delete(id);
    };
  }

  #type(id: number, command: string): void {
    this.used = true;
    this.asked += 1;
    const typist = this.#typists.get(id);
    if (typist === undefined) this.#pending.set(id, command);
    else typist(command);
  }
}
