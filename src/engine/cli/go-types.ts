/** Types of Docker's client, as far as a template can tell: the zero value of what is not there, and the order of fields. */

import { GoMap, GoStruct, isPlainObject, NIL, NIL_LIST } from './template-values.ts';

/** A string, a number or a truth value is the zero value of its own type. */
export type GoType =
  | ''
  | 0
  | false
  | { readonly kind: 'pointer' | 'list' | 'map'; readonly of: GoType }
  | { readonly kind: 'struct'; readonly name: string; readonly fields: readonly GoField[] };

export interface GoField {
  readonly name: string;
  /** Its name in the document, where that is another. */
  readonly member: string;
  readonly type: GoType;
}

/** Undefined as `<nil>`. */
export function pointer(of: GoType): GoType {
  return { kind: 'pointer', of };
}

export function list(of: GoType = ''): GoType {
  return { kind: 'list', of };
}

export function map(of: GoType = ''): GoType {
  return { kind: 'map', of };
}

/** Fields in the order of Go's type; `ID=Id` is the field ID, in the document Id. */
export function struct(name: string, fields: Readonly<Record<string, GoType>>): GoType {
  return {
    kind: 'struct',
    name,
    fields: Object.entries(fields).map(([words, type]) => {
      const [field = '', member = field] = words.split('=');
      return { name: field, member, type };
    }),
  };
}

/** The document as a value of the type. What the type does not know of it is found by `docker inspect` all the same. */
export function typedValue(document: unknown, type: GoType): unknown {
  if (typeof type !== 'object') return document ?? type;
  switch (type.kind) {
    case 'pointer':
      return document === undefined || document === null ? NIL : typedValue(document, type.of);
    case 'list':
      return Array.isArray(document) ? document.map((item) => typedValue(item, type.of)) : NIL_LIST;
    case 'map': {
      const entries = isPlainObject(document) ? Object.entries(document) : [];
      const typed = entries.map(([key, value]) => [key, typedValue(value, type.of)] as const);
      return new GoMap(typed, document ?? null, typeof type.of === 'object' ? undefined : type.of);
    }
    case 'struct': {
      const members = isPlainObject(document) ? document : {};
      const fields = type.fields.map(
        ({ name, member, type: of }) => [name, typedValue(members[member], of)] as const,
      );
      return new GoStruct(type.name, fields, { document, fallsBack: true });
    }
  }
}
