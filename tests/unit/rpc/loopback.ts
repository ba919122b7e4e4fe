/** Both ends of the worker boundary in one process, over a real MessageChannel. */

import { connectEngine } from '../../../src/rpc/connect.ts';
import { EventHub } from '../../../src/rpc/event-hub.ts';
import { sandboxOver } from '../../../src/rpc/facade.ts';
import type { OpenHost, SandboxHost } from '../../../src/rpc/host.ts';
import type { Sandbox, SandboxOptions } from '../../../src/rpc/sandbox.ts';
import { exposeEngine } from '../../../src/rpc/surface.ts';

export interface Loopback {
  readonly sandbox: Sandbox;
  fail(reason: Error): void;
  disconnect(): void;
}

export function loopback(open: OpenHost<SandboxOptions>, options: SandboxOptions = {}): Loopback {
  const { port1, port2 } = new MessageChannel();
  exposeEngine(port1, open);
  const events = new EventHub();
  const connection = connectEngine(port2, events);
  return {
    sandbox: sandboxOver(connection.open(options), events),
    fail: connection.fail,
    disconnect: () => {
      port1.close();
      port2.close();
    },
  };
}

/** A host of which a test scripts only what it looks at; the rest refuses. */
export function scriptedHost(script: Partial<SandboxHost>): SandboxHost {
  const refuse = () => {
    throw new Error('not part of this test');
  };
  return {
    command: refuse,
    terminal: refuse,
    images: refuse,
    containers: refuse,
    walk: refuse,
    read: refuse,
    list: refuse,
    changes: refuse,
    getThroughPort: refuse,
    close: async () => undefined,
    ...script,
  };
}
