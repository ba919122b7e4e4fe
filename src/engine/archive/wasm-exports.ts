/** What an instance of codecs.wasm (codecs/src) exports, checked as it is taken. */

export type WasmFunction = (...args: number[]) => number;

/** The exported function; its result is an unsigned number of 32 bits when it is an address or a length. */
export function wasmFunction(instance: WebAssembly.Instance, name: string): WasmFunction {
  const exported: unknown = instance.exports[name];
  if (typeof exported !== 'function') throw new TypeError(`the codecs module has no function ${name}`);
  return (...args) => Number(exported(...args));
}

export function wasmMemory(instance: WebAssembly.Instance): WebAssembly.Memory {
  const { memory } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory)) throw new TypeError('the codecs module has no memory');
  return memory;
}
