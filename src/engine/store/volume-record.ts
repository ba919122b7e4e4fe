/** What is remembered of a volume: plain data, kept by the record store. Its files are in the journal `volume/<name>`. */

export interface VolumeRecord {
  /** Its name. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the driver: `type`, `device`, `o`. Default: none. */
  readonly options?: Readonly<Record<string, string>>;
  /** Made for one container without being named: it goes with it, and with `docker volume prune`. */
  readonly isAnonymous: boolean;
  /** What an image has at its place is being copied into it: whoever finds this at the start finds it half-done. */
  readonly isFilling?: true;
}

/** The label by which Docker tells volumes that nobody named. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

/** The journal that holds a volume's files. */
export function volumeJournal(name: string): string {
  return `${VOLUME_JOURNALS}${name}`;
}

export const VOLUME_JOURNALS = 'volume/';
