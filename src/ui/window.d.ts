import type { Sandbox } from '../rpc/sandbox.ts';

declare global {
  interface Window {
    /** The page's sandbox, for scripts, lessons and the console; there from the load event on. */
    sandbox: Sandbox;
  }
}
