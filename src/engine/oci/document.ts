/**
 * Reading JSON that anybody may have written. A `Field` is a value and where it
 * stands; whatever is asked of it that it is not throws InvalidDocumentError
 * naming the document, the field and the value.
 */

import { InvalidDocumentError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { Descriptor, Platform } from './descriptor.ts';
import { type Digest, isDigest } from './digest.ts';

/** Bytes that a manifest or an index may have. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;
/** Bytes that a config may have. */
export const CONFIG_LIMIT = 8 * 1024 * 1024;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The document's root. `what` names the document for errors: `manifest of busybox:latest`. */
export function parseDocument(bytes: Uint8Array, what: string, limit: number): Field {
  if (bytes.length > limit) {
    throw new InvalidDocumentError(`${what} has ${bytes.length} bytes: at most ${limit} are allowed`, {
      what,
      size: bytes.length,
      limit,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(strict.decode(bytes));
  } catch (cause) {
    const page = /^\s*</.test(new TextDecoder('utf-8').decode(bytes.subarray(0, 100)));
    const found = page ? 'it is a web page' : cause instanceof Error ? cause.message : 'it cannot be read';
    throw new InvalidDocumentError(
      `${what} is no JSON document: ${printableName(found)}`,
      { what, page },
      { cause },
    );
  }
  const root = new Field(value, '', what);
  root.members();
  return root;
}

/** One value of a document. `null` counts as absent, as it does for Go's decoder. */
export class Field {
  readonly value: unknown;
  /** Where it stands: `layers[2].size`; empty for the root. */
  readonly path: string;
  readonly what: string;

  constructor(value: unknown, path: string, what: string) {
    this.value = value;
    this.path = path;
    this.what = what;
  }

  /** The member, or undefined when it is absent or null. */
  optional(name: string): Field | undefined {
    const value = new Map(this.members()).get(name);
    if (value === undefined || value === null) return undefined;
    return new Field(value, this.path === '' ? name : `${this.path}.${name}`, this.what);
  }

  required(name: string): Field {
    return this.optional(name) ?? this.fail(`lacks ${name}`);
  }

  has(name: string): boolean {
    return this.optional(name) !== undefined;
  }

  members(): readonly (readonly [string, unknown])[] {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) {
      return this.fail('must be an object');
    }
    return Object.entries(this.value);
  }

  list(): readonly Field[] {
    if (!Array.isArray(this.value)) return this.fail('must be a list');
    return this.value.map((value: unknown, i) => new Field(value, `${this.path}[${i}]`, this.what));
  }

  string(): string {
    return typeof this.value === 'string' ? this.value : this.fail('must be a string');
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.fail('must be true or false');
  }

  /** A whole number from 0 to 2^53-1. */
  count(): number {
    if (typeof this.value === 'number' && Number.isSafeInteger(this.value) && this.value >= 0) {
      return this.value;
    }
    return this.fail('must be a whole number, not negative and below 2^53');
  }

  digest(): Digest {
    const text = this.string();
    return isDigest(text) ? text : this.fail('must be a sha256 or sha512 digest');
  }

  strings(): readonly string[] {
    return this.list().map((item) => item.string());
  }

  /** Strings by name. `__proto__` is a name like any other. */
  stringMap(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.members().map(([name, value]) => [
        name,
        new Field(value, `${this.path}[${JSON.stringify(name)}]`, this.what).string(),
      ]),
    );
  }

  /** The names of an object whose values say nothing, as `ExposedPorts` is. */
  names(): readonly string[] {
    return this.members().map(([name]) => name);
  }

  fail(claim: string): never {
    const shown = this.path === '' ? '' : `: it is ${shorten(this.value)}`;
    throw new InvalidDocumentError(
      `${this.what} is invalid: ${this.path || 'the document'} ${claim}${shown}`,
      {
        what: this.what,
        field: this.path,
      },
    );
  }
}

function shorten(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = printableName(JSON.stringify(value) ?? 'undefined');
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/** image-spec, descriptor.md, "Properties". */
export function descriptorOf(field: Field): Descriptor {
  const urls = field.optional('urls')?.strings();
  const annotations = field.optional('annotations')?.stringMap();
  const platform = field.optional('platform');
  const artifactType = field.optional('artifactType')?.string();
  const data = field.optional('data')?.string();
  return {
    mediaType: field.required('mediaType').string(),
    digest: field.required('digest').digest(),
    size: field.required('size').count(),
    ...(urls !== undefined && { urls }),
    ...(annotations !== undefined && { annotations }),
    ...(platform !== undefined && { platform: platformOf(platform) }),
    ...(artifactType !== undefined && artifactType !== '' && { artifactType }),
    ...(data !== undefined && { data }),
  };
}

/** The members `os`, `architecture`, `variant` and `os.version` of a platform or a config. */
export function platformOf(field: Field): Platform {
  const variant = field.optional('variant')?.string();
  const osVersion = field.optional('os.version')?.string();
  return {
    os: field.required('os').string(),
    architecture: field.required('architecture').string(),
    ...(variant !== undefined && variant !== '' && { variant }),
    ...(osVersion !== undefined && osVersion !== '' && { osVersion }),
  };
}
