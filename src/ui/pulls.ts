/** Pulls as their events tell them: plain values, each event gives the next. */

import type { LayerStatus, SandboxEvent } from '../rpc/engine-types.ts';

export interface PulledLayer {
  readonly digest: string;
  readonly diffID: string;
  readonly status: LayerStatus;
  /** Compressed bytes that have arrived, of `total`. */
  readonly bytes: number;
  readonly total: number;
  /** What is in it is known, and what is touched is fetched first; all of it is not here yet. */
  readonly isReadable?: boolean;
  /** Why the file that was wanted last could not be read. */
  readonly trouble?: string;
}

export interface Pull {
  readonly reference: string;
  readonly status: 'running' | 'complete' | 'failed' | 'cancelled';
  /** The image is in use already. */
  readonly isRunnable?: boolean;
  /** Base first; empty until the manifest is here. */
  readonly layers: readonly PulledLayer[];
  readonly message?: string;
}

export type Pulls = Readonly<Record<string, Pull>>;

const ENDED: ReadonlySet<LayerStatus> = new Set(['complete', 'exists', 'failed']);

/** The pulls after an event. */
export function afterEvent(pulls: Pulls, event: SandboxEvent): Pulls {
  if (event.type === 'pull') {
    const known = pulls[event.reference];
    const again = event.status === 'started' && known?.status !== 'running';
    const pull: Pull = {
      reference: event.reference,
      status: event.status === 'started' || event.status === 'runnable' ? 'running' : event.status,
      ...(event.status === 'runnable' && { isRunnable: true }),
      layers:
        event.layers === undefined
          ? ((again ? undefined : known?.layers) ?? [])
          : announced(event.layers, known),
      ...(event.message !== undefined && { message: event.message }),
    };
    return { ...pulls, [event.reference]: pull };
  }
  if (event.type === 'layer') {
    const pull = pulls[event.reference] ?? { reference: event.reference, status: 'running', layers: [] };
    const { digest, diffID, status, bytes, total } = event;
    const place = pull.layers.findIndex((other) => other.diffID === diffID && other.digest === digest);
    const wasReadable = pull.layers[place]?.isReadable === true && !ENDED.has(status);
    const isReadable = status === 'readable' || wasReadable;
    const trouble = isReadable ? pull.layers[place]?.trouble : undefined;
    const layer: PulledLayer = {
      ...{ digest, diffID, status, bytes, total },
      ...(isReadable && { isReadable }),
      ...(trouble !== undefined && { trouble }),
    };
    const layers = place === -1 ? [...pull.layers, layer] : pull.layers.with(place, layer);
    return { ...pulls, [event.reference]: { ...pull, layers } };
  }
  if (event.type === 'unreadable') {
    return Object.fromEntries(
      Object.entries(pulls).map(([reference, pull]) => {
        const troubled = (layer: PulledLayer) => layer.digest === event.digest && layer.isReadable === true;
        const layers = pull.layers.map((layer) =>
          troubled(layer) ? { ...layer, trouble: event.message } : layer,
        );
        return [reference, { ...pull, layers }];
      }),
    );
  }
  return pulls;
}

/** The layers of a manifest; what is known of one already is kept. */
function announced(
  layers: readonly { readonly digest: string; readonly diffID: string; readonly size: number }[],
  known: Pull | undefined,
): PulledLayer[] {
  return layers.map(
    ({ digest, diffID, size }) =>
      known?.layers.find((layer) => layer.diffID === diffID && layer.digest === digest) ?? {
        digest,
        diffID,
        status: 'waiting',
        bytes: 0,
        total: size,
      },
  );
}

/** How much of a layer's sheet is filled, 0 to 1. */
export function filled({ status, bytes, total }: PulledLayer): number {
  if (status === 'complete' || status === 'exists' || status === 'extracting' || status === 'verifying')
    return 1;
  return total === 0 ? 0 : Math.min(1, bytes / total);
}

/** Bytes that a pull has fetched, and that it has to; layers that are here already count for neither. */
export function fetched({ layers }: Pull): { readonly bytes: number; readonly total: number } {
  const missing = layers.filter(({ status }) => status !== 'exists');
  return {
    bytes: missing.reduce((sum, layer) => sum + filled(layer) * layer.total, 0),
    total: missing.reduce((sum, layer) => sum + layer.total, 0),
  };
}
