/**
 * The one Content-Security-Policy of the site: in the page as a <meta>, so that it holds on any static host, and
 * in the header that our own servers send, which covers the workers too (a worker has the policy of its own response).
 */

const directives: Readonly<Record<string, readonly string[]>> = {
  'default-src': ["'self'"],
  // the machine compiles WebAssembly as it runs; no script is inline and none is evaluated
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  // xterm.js writes its cell metrics and the palette into <style> elements, and its DOM renderer colours of
  // 24 bits into style attributes; both are computed as it runs, so no hash can name them
  'style-src': ["'self'", "'unsafe-inline'"],
  // registries live anywhere; without TLS only on this computer
  'connect-src': ["'self'", 'https:', 'http://localhost:*', 'http://127.0.0.1:*'],
  'worker-src': ["'self'"],
  'img-src': ["'self'", 'data:', 'blob:'],
  'font-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
};

/** For a <meta>: without `frame-ancestors`, which browsers heed in a header only. */
export function pagePolicy(extra: Readonly<Record<string, readonly string[]>> = {}): string {
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...sources, ...(extra[name] ?? [])].join(' '))
    .join('; ');
}

/** For the `Content-Security-Policy` header. The page may be framed by its own origin alone. */
export function headerPolicy(extra: Readonly<Record<string, readonly string[]>> = {}): string {
  return `${pagePolicy(extra)}; frame-ancestors 'self'`;
}
