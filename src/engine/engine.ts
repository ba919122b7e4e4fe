/**
 * The engine: everything joined over its ports. It runs as it is in a worker
 * and in Node; which stores, registries and machine it works with is decided by
 * who opens it.
 *
 *     const engine = await openEngine({ content, records, journals, ingestor, fetch, mirrors, events, ... });
 *     await engine.docker(['pull', 'busybox'], io);
 */

import type { Unpackers } from './archive/unpackers.ts';
import { clientStdio } from './cli/client-stdio.ts';
import { runDocker } from './cli/docker.ts';
import type { DockerHost } from './cli/docker-host.ts';
import { type PipeIo, pipeStdio } from './cli/pipe-stdio.ts';
import { type ContainerSummary, containerSummary, type ImageSummary, imageSummary } from './cli/summaries.ts';
import type { Random } from './container/container-name.ts';
import { Containers } from './container/containers.ts';
import { EventHistory } from './container/event-history.ts';
import { FilesReading } from './container/files-reading.ts';
import type { DirectoryListing, FilesSource, NameRange } from './container/files-source.ts';
import type { WalkEntry } from './container/files-view.ts';
import { hostFiles, hostHas } from './container/host-files.ts';
import { HOST_TREE, pathAtHome } from './container/host-home.ts';
import { type HostTerminal, openTerminal, runLine } from './container/host-shell.ts';
import { ImageStacks } from './container/image-stacks.ts';
import { dropIncomplete } from './container/incomplete.ts';
import type { Client, Machine, TerminalSize } from './container/machine.ts';
import type { ContainerChanges } from './container/own-changes.ts';
import { getThroughPort } from './container/port-request.ts';
import type { PortResponse } from './container/port-response.ts';
import { startedMachine } from './container/started-machine.ts';
import { ContentMissingError, LayerboxError, NoSuchContainerError, StorageFailedError } from './errors.ts';
import type { EventStream } from './events.ts';
import { Images } from './image/images.ts';
import { LayerCache } from './image/layer-cache.ts';
import type { LayerIngestor } from './image/layer-ingestor.ts';
import { LazyLayers } from './lazy/lazy-layers.ts';
import { decodeName } from './names.ts';
import { Networks } from './network/networks.ts';
import type { DiffID, Digest } from './oci/digest.ts';
import { formatReference } from './oci/reference.ts';
import { Credentials } from './registry/credentials.ts';
import { RecordedCredentials } from './registry/kept-credentials.ts';
import type { Mirrors } from './registry/mirrors.ts';
import { Registries } from './registry/registries.ts';
import type { Fetch } from './registry/request.ts';
import type { ContentStore } from './store/content.ts';
import { CachedContentReader, type ContentReader } from './store/content-reader.ts';
import { collectGarbage } from './store/garbage.ts';
import type { JournalStore } from './store/journal.ts';
import { Leases } from './store/leases.ts';
import type { RecordStore } from './store/records.ts';
import { FsError } from './unionfs/errno.ts';
import { readFile } from './unionfs/resolve.ts';
import { openUnion, type Union } from './unionfs/union.ts';
import { Volumes } from './volume/volumes.ts';

export interface EnginePorts {
  readonly content: ContentStore;
  readonly records: RecordStore;
  readonly journals: JournalStore;
  readonly ingestor: LayerIngestor;
  readonly mirrors: Mirrors;
  readonly fetch: Fetch;
  /** For files of layers that are still coming; undefined: images with layers in zstd are run when they are here whole. */
  readonly unpackers?: Unpackers;
  /** Undefined: nothing can run, all else works. It belongs to the engine from here on: `close` closes it. */
  readonly machine?: Machine;
  readonly events: EventStream;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: Random;
  /** For `docker info`: where things are stored, and what the machine is made of. */
  readonly description: { readonly storage: string; readonly assets: string };
  /** Told of what went wrong where nobody waits. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Opens the stores as they were left: what a killed page left half-done is reclaimed, containers that were running are
 * exited. The machine starts at once and nobody waits for it who does not need it.
 */
export async function openEngine(ports: EnginePorts): Promise<Engine> {
  const { content, records, journals, events, machine, now, random, onFailure } = ports;
  const leases = new Leases(records, now);
  const collect = async (options: { readonly atStart?: boolean }) => {
    const bytes = await collectGarbage({ content, records, journals, leases }, options);
    if (bytes > 0) events.emit({ type: 'storage', action: 'reclaimed', bytes });
    return bytes;
  };
  await dropIncomplete(records);
  await collect({ atStart: true });
  const reader = new LazyLayers(new CachedContentReader(content));
  const layers = new LayerCache(records, undefined, (diffID) => reader.index(diffID));
  const registries = new Registries({
    mirrors: ports.mirrors,
    fetch: ports.fetch,
    events,
    now,
    credentials: new Credentials(new RecordedCredentials(records)),
    local: async (reference) => {
      const image = await records.get('images', formatReference(reference));
      if (image === undefined) return undefined;
      const read = async (digest: Digest) =>
        (await content.stat(digest)) === undefined ? undefined : content.read(digest);
      return { descriptor: image.target, read };
    },
  });
  const images: Images = new Images({
    content,
    records,
    layers,
    leases,
    registries,
    ingestor: ports.ingestor,
    ...(ports.unpackers !== undefined && { unpackers: ports.unpackers }),
    early: {
      layers: reader,
      fetch: ports.fetch,
      ...(ports.unpackers !== undefined && { unpackers: ports.unpackers }),
      onComing: (diffID) => stacks.forget(diffID),
      onWhole: async ({ imageID, layers }) => {
        await containers.settle(imageID);
        // whoever comes now needs none of the addresses that a layer had before
        for (const { diffID } of layers) stacks.forget(diffID);
      },
      onFailed: async ({ imageID, layers }) => {
        await containers.abandon(imageID).catch(onFailure);
        for (const { diffID } of layers) stacks.forget(diffID);
        await collect({});
      },
    },
    events,
    now,
    usedBy: async (imageID) =>
      containers
        .list()
        .filter((record) => record.imageID === imageID)
        .map((record) => ({ container: record.id, running: record.state.status === 'running' })),
    collectGarbage: () => collect({}),
  });
  const stacks = new ImageStacks(layers);
  const home = await openUnion({
    lowers: [],
    journal: await journals.open(HOST_TREE),
    now: () => BigInt(Math.trunc(now())) * 1_000_000n,
  });
  if (home.damage !== undefined) onFailure(new StorageFailedError(`of the host's files: ${home.damage}`));
  const volumes = await Volumes.open({ records, journals, machine, events, now, random, onFailure });
  const containers: Containers = await Containers.open({
    records,
    journals,
    content: reader,
    stacks,
    leases,
    images,
    volumes,
    hostHas: (path) => hostHas(path, home, machine),
    home,
    networks: await Networks.open({ records, now, random }),
    machine,
    events,
    now,
    random,
    onFailure,
  });
  return new Engine(ports, { images, containers, registries, layers, stacks, reader, home, volumes });
}

interface EngineParts {
  readonly images: Images;
  readonly containers: Containers;
  readonly registries: Registries;
  readonly layers: LayerCache;
  readonly stacks: ImageStacks;
  readonly reader: ContentReader;
  readonly home: Union;
  readonly volumes: Volumes;
}

export class Engine {
  readonly #ports: EnginePorts;
  readonly #parts: EngineParts;
  readonly #files: FilesReading;
  readonly #host: DockerHost;
  /** Commands under way: closing lets them end. */
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  /** For `openEngine`. */
  constructor(ports: EnginePorts, parts: EngineParts) {
    this.#ports = ports;
    this.#parts = parts;
    this.#files = new FilesReading(parts);
    const { machine, now } = ports;
    this.#host = {
      images: parts.images,
      containers: parts.containers,
      registries: parts.registries,
      events: new EventHistory(ports.events),
      volumes: parts.volumes,
      machine,
      now,
      describe: () => this.#describe(),
      readHostFile: (path) => this.#readHostFile(path),
      files: hostFiles(machine, parts.home),
    };
    if (machine !== undefined) this.#powerOn(machine);
  }

  /** A docker command without a terminal; `argv` without `docker` itself. Resolves with the exit code. */
  docker(argv: readonly string[], io: PipeIo): Promise<number> {
    this.#ports.machine?.touch();
    const stdio = pipeStdio({ ...io, signal: AbortSignal.any([io.signal, this.#closing.signal]) });
    return runDocker(argv, stdio, this.#host);
  }

  /** A line for the host's shell. MachineUnavailableError without a machine, MachineFailedError. */
  async sh(line: string, io: PipeIo): Promise<number> {
    return runLine(await startedMachine(this.#ports.machine), line, io);
  }

  /** The host's shell on a terminal of its own. Errors as `sh`. */
  async terminal(
    size: TerminalSize,
    onData: (bytes: Uint8Array) => void | Promise<void>,
  ): Promise<HostTerminal> {
    return openTerminal(await startedMachine(this.#ports.machine), size, onData);
  }

  async images(): Promise<readonly ImageSummary[]> {
    const records = await this.#parts.images.list();
    return Promise.all(records.map((record) => imageSummary(this.#host, record)));
  }

  /** Newest first. */
  async containers(): Promise<readonly ContainerSummary[]> {
    const { containers } = this.#parts;
    const summaries: ContainerSummary[] = [];
    for (const record of containers.list()) {
      const summary = await this.#summary(record.id);
      if (summary !== undefined) summaries.push(summary);
    }
    return summaries;
  }

  /** Undefined when the container was removed meanwhile. */
  async #summary(id: string): Promise<ContainerSummary | undefined> {
    try {
      return await containerSummary(this.#host, this.#parts.containers.get(id));
    } catch (error) {
      if (error instanceof NoSuchContainerError) return undefined;
      throw error;
    }
  }

  /**
   * Every entry of an image's or a container's union, bytewise by path, parents first. NoSuchImageError when the
   * reference names neither.
   */
  walk(reference: string, platform?: string): AsyncGenerator<WalkEntry> {
    this.#ports.machine?.touch();
    return this.#files.walk(reference, platform);
  }

  /** The content of one file, links followed inside the root. NoSuchFileError, NoSuchImageError. */
  read(reference: string, path: string, platform?: string): Promise<Uint8Array> {
    this.#ports.machine?.touch();
    return this.#files.read(reference, path, platform);
  }

  /** What is in a directory of an image or a container. NoSuchFileError, NoSuchImageError. */
  list(reference: string, path: string, range: NameRange, platform?: string): Promise<DirectoryListing> {
    this.#ports.machine?.touch();
    return this.#files.list(reference, path, range, platform);
  }

  /** What a TCP port that a container publishes answers to a GET. LayerboxError; MachineUnavailableError, MachineFailedError. */
  async getThroughPort(port: number, path: string): Promise<PortResponse> {
    if (!this.#parts.containers.networks.isPublished(port)) {
      throw new LayerboxError(`no container publishes the TCP port ${port} now`, { port });
    }
    return getThroughPort(await startedMachine(this.#ports.machine), port, path);
  }

  /** What `docker diff` prints, of what a container's programs have written back; undefined: as at `known`. NoSuchContainerError. */
  changes(container: string, known?: string): Promise<ContainerChanges | undefined> {
    return this.#files.changes(container, known);
  }

  /** The files of an image or a container for another thread to show; undefined: as at `known`. NoSuchImageError. */
  source(reference: string, platform: string | undefined, known?: string): Promise<FilesSource | undefined> {
    return this.#files.source(reference, platform, known);
  }

  /** The packed index of a layer. ContentMissingError. */
  async layerIndex(diffID: DiffID): Promise<ArrayBuffer> {
    const index = await this.#parts.layers.open(diffID);
    if (index !== undefined) return index.buffer;
    throw new ContentMissingError(`the layer ${diffID} is not in the store: pull its image again`, {
      digest: diffID,
    });
  }

  /** Stops what runs, makes everything durable, closes the machine. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { machine, ingestor } = this.#ports;
    const { images, containers, home, volumes } = this.#parts;
    this.#closing.abort();
    await images.close();
    await containers.close();
    if (machine?.state.status === 'running') await machine.sync().catch(this.#ports.onFailure);
    await machine?.close();
    await home.close();
    await volumes.close();
    await ingestor.close();
  }

  #powerOn(machine: Machine): void {
    const { events, onFailure } = this.#ports;
    machine.onState((state) => events.emit({ type: 'machine', ...state }));
    machine.onClient((client) => {
      this.#serve(client).catch(onFailure);
    });
    machine.exportTree(HOST_TREE, this.#parts.home);
    // whoever needs the machine starts it again and has the error; the event tells the rest
    machine.start().then(
      () => this.#parts.containers.startWithHost(),
      () => undefined,
    );
  }

  async #serve(client: Client): Promise<void> {
    const stdio = clientStdio(client);
    let code = 1;
    try {
      code = await runDocker(client.argv.slice(1), stdio, this.#host);
    } finally {
      client.exit(code);
    }
  }

  async #describe() {
    const { content, description, mirrors } = this.#ports;
    const blobs = await content.list();
    const entries = Object.entries(mirrors).map(([name, places]): [string, readonly string[]] => [
      name,
      typeof places === 'string' ? [places] : places,
    ]);
    return {
      ...description,
      mirrors: Object.fromEntries(entries),
      contentBytes: blobs.reduce((sum, blob) => sum + blob.size, 0),
    };
  }

  /** A file of the learner's home, with what the shell wrote so far; other files of the host are the guest's own. */
  async #readHostFile(path: string): Promise<string | undefined> {
    const { machine } = this.#ports;
    const within = pathAtHome(path);
    if (within === undefined) return undefined;
    if (machine?.state.status === 'running') await machine.sync();
    try {
      return decodeName(await readFile(this.#parts.home, within));
    } catch (error) {
      if (error instanceof FsError && error.errno !== 'EIO') return undefined;
      throw error;
    }
  }
}
