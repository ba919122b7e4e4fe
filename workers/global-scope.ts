/**
 * For a library that takes `window` or `global` for granted: the text encoder that lightning-fs brings along looks for
 * its scope there, and a module worker has neither. Imported first, for its effect.
 */
Reflect.set(globalThis, 'global', globalThis);
