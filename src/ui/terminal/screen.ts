/** xterm.js with what a terminal of ours has: search, links, wide characters, a guarded clipboard, the fast renderer. */

import { ClipboardAddon } from '@xterm/addon-clipboard';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';
import type { Theme } from '../theme.svelte.ts';
import { GuardedClipboard } from './clipboard-guard.ts';
import { palettes } from './palette.ts';

export const terminalFont = '"IBM Plex Mono", ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace';

export interface Screen {
  readonly terminal: Terminal;
  readonly search: SearchAddon;
  /** Fills its element; does nothing while that is not shown. */
  fit(): void;
  dispose(): void;
}

export interface ScreenOptions {
  readonly theme: Theme;
  readonly screenReader: boolean;
  /** A key that belongs to the page, and that the shell must not see. */
  readonly isPageKey: (event: KeyboardEvent) => boolean;
  readonly openSearch: () => void;
}

/** Opened in the element. The font must be loaded, or the cells are measured with another. */
export function createScreen(element: HTMLElement, options: ScreenOptions): Screen {
  const terminal = new Terminal({
    allowProposedApi: true,
    // an animation has the page drawn sixty times a second, for a tenth of a processor
    cursorBlink: false,
    fontFamily: terminalFont,
    fontSize: 14,
    lineHeight: 1.2,
    minimumContrastRatio: 4.5,
    scrollback: 10_000,
    screenReaderMode: options.screenReader,
    theme: palettes[options.theme],
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  let lastKey = Number.NEGATIVE_INFINITY;
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new Unicode11Addon());
  terminal.loadAddon(
    new WebLinksAddon((_event, uri) => {
      window.open(uri, '_blank', 'noopener,noreferrer');
    }),
  );
  terminal.loadAddon(new ClipboardAddon(undefined, new GuardedClipboard(() => performance.now() - lastKey)));
  terminal.unicode.activeVersion = '11';
  terminal.attachCustomKeyEventHandler((event) => {
    if (options.isPageKey(event)) return false;
    if (event.type !== 'keydown') return true;
    lastKey = performance.now();
    if (!(event.ctrlKey && event.shiftKey)) return true;
    if (event.code === 'KeyC') {
      event.preventDefault();
      if (terminal.hasSelection()) void navigator.clipboard.writeText(terminal.getSelection());
      return false;
    }
    if (event.code === 'KeyF') {
      event.preventDefault();
      options.openSearch();
      return false;
    }
    // the browser's own paste, which xterm.js hears: no permission to read the clipboard is needed
    return event.code !== 'KeyV';
  });
  terminal.open(element);
  useGraphics(terminal);
  return {
    terminal,
    search,
    fit: () => {
      if (element.clientWidth > 0 && element.clientHeight > 0) fit.fit();
    },
    dispose: () => terminal.dispose(),
  };
}

/** WebGL where it is done by a graphics processor; emulated it is slower than the DOM renderer. */
function useGraphics(terminal: Terminal): void {
  if (!hasGraphicsProcessor()) return;
  try {
    const webgl = new WebglAddon();
    // the browser takes contexts away under pressure: xterm.js goes back to the DOM by itself
    webgl.onContextLoss(() => webgl.dispose());
    terminal.loadAddon(webgl);
  } catch (error) {
    console.warn('The terminal draws without WebGL:', error);
  }
}

function hasGraphicsProcessor(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (gl === null) return false;
  // the flag above does not keep every emulation out
  const names = gl.getExtension('WEBGL_debug_renderer_info');
  const renderer = String(gl.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}
