/** JSON as a command prints it: what would control a terminal, or turn a line around, is an escape in it. */

/**
 * JSON.stringify escapes what is below U+0020 only. C1, DEL, separators of lines and bidi controls are in strings alone, where
 * an escape says the same (RFC 8259, section 7).
 */
const CONTROLS = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** The value as JSON; `indent` as JSON.stringify has it. */
export function jsonOf(value: unknown, indent?: number | string): string {
  const text = JSON.stringify(value, undefined, indent) ?? 'null';
  return text.replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
