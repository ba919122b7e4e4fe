/** What the worker for queries offers to the page through Comlink, and how it reaches the engine's worker. */

import { type Endpoint, expose, type ProxyMarked, type Remote, wrap } from 'comlink';
import type { DiffID } from '../engine/oci/digest.ts';
import { installErrorTransfer } from './errors.ts';
import { type About, type EngineViews, Queries } from './queries.ts';
import type { ContainerSummary, DirectoryListing, FileChange, ImageSummary, NameRange } from './sandbox.ts';

export type LateSink = ((about: About) => void) & ProxyMarked;

export interface QuerySurface {
  /** `engine`: a port at whose other end the engine's worker serves EngineViews. */
  open(sandbox: string | undefined, engine: MessagePort, onLate: LateSink): void;
  images(turn: number): Promise<readonly ImageSummary[]>;
  containers(turn: number): Promise<readonly ContainerSummary[]>;
  changes(turn: number, container: string): Promise<readonly FileChange[]>;
  list(
    turn: number,
    reference: string,
    path: string,
    range: NameRange,
    platform: string | undefined,
  ): Promise<DirectoryListing>;
}

/** Serves the engine's side of it on a port. */
export function exposeViews(port: Endpoint, views: EngineViews): void {
  installErrorTransfer();
  expose(views, port);
}

/** Reads the stored index of a layer, of the sandbox of this name. */
export type ReadIndex = (sandbox: string, diffID: DiffID) => Promise<ArrayBuffer | undefined>;

/** The surface, to be exposed on the worker; `readIndex` reads from the sandbox's database. */
export function exposeQueries(endpoint: Endpoint, readIndex: ReadIndex): void {
  installErrorTransfer();
  let queries: Queries | undefined;
  const opened = (): Queries => {
    if (queries === undefined) throw new TypeError('the worker for queries was not opened');
    return queries;
  };
  const surface: Served = {
    open(sandbox, engine, onLate) {
      const stored = async (diffID: DiffID) =>
        sandbox === undefined ? undefined : readIndex(sandbox, diffID);
      const views = wrap<EngineViews>(engine);
      queries = new Queries(
        {
          images: () => views.images(),
          containers: () => views.containers(),
          changes: (container, known) => views.changes(container, known),
          source: (reference, platform, known) => views.source(reference, platform, known),
          layerIndex: (diffID) => views.layerIndex(diffID),
        },
        stored,
        (about) => void onLate(about),
      );
    },
    images: (turn) => opened().images(turn),
    containers: (turn) => opened().containers(turn),
    changes: (turn, container) => opened().changes(turn, container),
    list: (turn, reference, path, range, platform) => opened().list(turn, reference, path, range, platform),
  };
  expose(surface, endpoint);
}

/** As the worker implements it: the callback is the page's, behind a proxy. */
type Served = Omit<QuerySurface, 'open'> & {
  open(sandbox: string | undefined, engine: MessagePort, onLate: Remote<LateSink>): void;
};
