/**
 * The web standards the engine may use, and no others: what is not declared
 * here does not compile in `src/engine`. Each exists in browsers, in workers
 * and in Node 20.
 */

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
declare const AbortSignal: {
  abort(reason?: unknown): AbortSignal;
  any(signals: Iterable<AbortSignal>): AbortSignal;
  timeout(milliseconds: number): AbortSignal;
};
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare const AbortController: { new (): AbortController };

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}
declare const TextEncoder: { new (): TextEncoder };
interface TextDecoder {
  decode(input?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string;
}
declare const TextDecoder: {
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};

interface ReadableStreamReader<T> {
  read(): Promise<{ done: false; value: T } | { done: true; value?: undefined }>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}
interface ReadableStreamBYOBReader {
  read<V extends ArrayBufferView>(view: V): Promise<{ done: false; value: V } | { done: true; value?: V }>;
  cancel(reason?: unknown): Promise<void>;
}
interface ReadableStream<T = unknown> {
  getReader(options: { mode: 'byob' }): ReadableStreamBYOBReader;
  getReader(): ReadableStreamReader<T>;
  cancel(reason?: unknown): Promise<void>;
  pipeThrough<R>(transform: { readable: ReadableStream<R>; writable: WritableStream<T> }): ReadableStream<R>;
}
interface ReadableStreamController<T> {
  enqueue(chunk: T): void;
  close(): void;
}
declare const ReadableStream: {
  new <T>(
    source: {
      pull?: (controller: ReadableStreamController<T>) => void | Promise<void>;
      cancel?: (reason?: unknown) => void | Promise<void>;
    },
    strategy?: { highWaterMark: number },
  ): ReadableStream<T>;
};
interface WritableStreamWriter<T> {
  readonly ready: Promise<void>;
  write(chunk: T): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
}
interface WritableStream<T = unknown> {
  getWriter(): WritableStreamWriter<T>;
}
interface DecompressionStream {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
}
declare const DecompressionStream: {
  new (format: 'gzip' | 'deflate' | 'deflate-raw'): DecompressionStream;
};
interface CompressionStream {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
}
declare const CompressionStream: {
  new (format: 'gzip' | 'deflate' | 'deflate-raw'): CompressionStream;
};

interface Headers {
  get(name: string): string | null;
  has(name: string): boolean;
}
interface Response {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly redirected: boolean;
  /** `basic` where all headers can be read; `cors` where the server names those that can. */
  readonly type: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  arrayBuffer(): Promise<ArrayBuffer>;
  text(): Promise<string>;
}
interface RequestInit {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string;
  signal?: AbortSignal;
  credentials?: 'omit' | 'same-origin' | 'include';
  redirect?: 'follow' | 'error' | 'manual';
  cache?: 'default' | 'no-store' | 'reload' | 'no-cache' | 'force-cache';
  referrerPolicy?: 'no-referrer';
}
declare function fetch(input: string, init?: RequestInit): Promise<Response>;

declare class URL {
  constructor(url: string, base?: string);
  readonly origin: string;
  readonly protocol: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly search: string;
  readonly searchParams: {
    get(name: string): string | null;
    set(name: string, value: string): void;
    append(name: string, value: string): void;
    has(name: string): boolean;
  };
  readonly username: string;
  readonly password: string;
  pathname: string;
  hash: string;
  readonly href: string;
}

declare const crypto: {
  getRandomValues<T extends Uint8Array>(array: T): T;
  readonly subtle: {
    digest(
      algorithm: 'SHA-256' | 'SHA-384' | 'SHA-512',
      bytes: Uint8Array<ArrayBuffer> | ArrayBuffer,
    ): Promise<ArrayBuffer>;
  };
};
declare const performance: { now(): number };
declare function setTimeout(callback: () => void, milliseconds?: number): unknown;
declare function clearTimeout(timer: unknown): void;
/** Base64 of a string of bytes (U+0000-U+00FF), and back. */
declare function btoa(bytes: string): string;
declare function atob(base64: string): string;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;

/** As much of it as runs a module without imports. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Memory {
    constructor(descriptor: { initial: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  function instantiate(module: Module): Promise<Instance>;
}
