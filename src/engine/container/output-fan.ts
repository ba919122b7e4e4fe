/** One program's output to its log and to whoever is attached; who reads slowly slows the program, who is gone does not. */

import type { Output, Process } from './machine.ts';

export interface OutputSink {
  /** Resolves when there is room for more; a rejection ends the attachment. */
  write(stream: 'out' | 'err', bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

export class OutputFan {
  readonly #sinks = new Set<OutputSink>();

  /** Returns what ends the attachment. */
  add(sink: OutputSink): () => void {
    this.#sinks.add(sink);
    return () => {
      this.#sinks.delete(sink);
    };
  }

  /** Passes output on until it is at its end; `first` sees each piece before the sinks. */
  async pump(process: Process, first: (output: Output) => void): Promise<void> {
    for await (const output of process.output) {
      first(output);
      await Promise.all([...this.#sinks].map((sink) => this.#pass(sink, output)));
    }
  }

  async #pass(sink: OutputSink, output: Output): Promise<void> {
    try {
      await sink.write(output.stream, output.bytes);
    } catch {
      // its reader is gone: the program goes on without it
      this.#sinks.delete(sink);
    }
  }
}
