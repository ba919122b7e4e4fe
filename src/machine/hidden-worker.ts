/**
 * When v86's module is evaluated and finds `Worker`, its run loop keeps time in
 * a worker made from a blob: URL, which a strict Content-Security-Policy
 * forbids. The machine already runs in a worker of its own and has its own
 * yield (emulator.ts), so `Worker` is out of sight while that module is
 * evaluated. Imported before v86, ended by `showWorker` after it; modules are
 * evaluated in order and without a pause between them.
 */

const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'Worker');
if (descriptor?.configurable === true) Reflect.deleteProperty(globalThis, 'Worker');

export function showWorker(): void {
  if (descriptor !== undefined) Object.defineProperty(globalThis, 'Worker', descriptor);
}
