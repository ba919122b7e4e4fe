/** The LayerIngestor that works in place: in Node, and where a sandbox keeps everything in memory. */

import type { LayerRecord } from '../store/records.ts';
import { type IngestDependencies, type IngestOptions, ingestLayer } from './ingest-layer.ts';
import type { IngestRequest, LayerIngestor } from './layer-ingestor.ts';
import { Permits } from './permits.ts';

export class InlineIngestor implements LayerIngestor {
  readonly #dependencies: IngestDependencies;

  constructor(dependencies: IngestDependencies) {
    const largeWindow = new Permits(1);
    this.#dependencies = { takeLargeWindow: (signal) => largeWindow.take(signal), ...dependencies };
  }

  ingest(request: IngestRequest, options: IngestOptions): Promise<LayerRecord> {
    return ingestLayer(request, this.#dependencies, options);
  }

  async close(): Promise<void> {
    // nothing is held between two ingests
  }
}
