/** Small choices of the reader, kept in this browser; where storage is blocked they hold for this visit. */

const prefix = 'layerbox.';
const session = new Map<string, string>();

/** What was stored under the name when `isValid` accepts it, otherwise the fallback. */
export function readPreference<T>(name: string, fallback: T, isValid: (value: unknown) => value is T): T {
  try {
    const text = session.get(name) ?? localStorage.getItem(prefix + name);
    const value: unknown = text === null ? undefined : JSON.parse(text);
    return isValid(value) ? value : fallback;
  } catch (error) {
    // storage is blocked (SecurityError), or somebody else wrote there (SyntaxError)
    if (error instanceof DOMException || error instanceof SyntaxError) return fallback;
    throw error;
  }
}

export function writePreference(name: string, value: unknown): void {
  const text = JSON.stringify(value);
  session.set(name, text);
  try {
    localStorage.setItem(prefix + name, text);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
