/** The decoders of layers (codecs/), as a module for the unpackers of this worker or process. */

const file = new URL('../codecs/codecs.wasm', import.meta.url);

let loading: Promise<WebAssembly.Module> | undefined;

/** The compiled module, one for all of this thread: read from the package's folder in Node, fetched from the site elsewhere. */
export function loadCodecs(): Promise<WebAssembly.Module> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(file.protocol === 'file:' ? await readFile() : await fetchFile());
}

async function readFile(): Promise<Uint8Array<ArrayBuffer>> {
  // asked of the process, so that bundlers for browsers do not trip over an import
  return new Uint8Array(await process.getBuiltinModule('node:fs/promises').readFile(file));
}

async function fetchFile(): Promise<ArrayBuffer> {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`the decoders of layers cannot be loaded: ${file} is ${response.status}`);
  return response.arrayBuffer();
}
