/** The SandboxHost over an engine in this process. */

import type { Engine } from '../engine/engine.ts';
import type { SandboxHost } from './host.ts';

/** `afterClose` lets go of what the engine stood on. */
export function engineHost(engine: Engine, afterClose: () => Promise<void>): SandboxHost {
  return {
    command: (words, io) => ('docker' in words ? engine.docker(words.docker, io) : engine.sh(words.sh, io)),
    terminal: ({ rows, columns, onData }) => engine.terminal({ rows, columns }, onData),
    images: () => engine.images(),
    containers: () => engine.containers(),
    walk: (reference, platform) => engine.walk(reference, platform),
    list: (reference, path, range, platform) => engine.list(reference, path, range, platform),
    changes: async (container) => (await engine.changes(container))?.changes ?? [],
    views: {
      images: () => engine.images(),
      containers: () => engine.containers(),
      changes: (container, known) => engine.changes(container, known),
      source: (reference, platform, known) => engine.source(reference, platform, known),
      layerIndex: (diffID) => engine.layerIndex(diffID),
    },
    read: (reference, path, platform) => engine.read(reference, path, platform),
    getThroughPort: (port, path) => engine.getThroughPort(port, path),
    close: async () => {
      await engine.close();
      await afterClose();
    },
  };
}
