/** `printf`: the verbs and flags of Go's fmt package on the values that templates have. */

import { quoted, quotedCharacter } from './go-text.ts';
import { formatNumber, formatted, GoStruct, isNil, mapEntries, typeName } from './template-values.ts';

/** No template needs more, and a hostile one gets no more. */
const WIDTH_LIMIT = 10_000;

interface Verb {
  readonly verb: string;
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

/** What `fmt.Sprintf` gives, faults (`%!d(string=a)`, `%!d(MISSING)`) included. */
export function sprintf(format: string, values: readonly unknown[]): string {
  let next = 0;
  let reordered = false;
  const result = format.replace(
    /%([-+# 0]*)(\[[^\]]*\])?(\*|\d+)?(?:\.(\[[^\]]*\])?(\*|\d+)?)?(\[[^\]]*\])?([\s\S]?)/gu,
    (whole, flags = '', before, width, middle, precision, after, verb = '') => {
      if (verb === '') return '%!(NOVERB)';
      if (verb === '%') return '%';
      for (const index of [before, middle, after]) {
        if (index === undefined) continue;
        reordered = true;
        const number = Number(index.slice(1, -1));
        if (!Number.isInteger(number) || number < 1 || number > values.length) return `%!${verb}(BADINDEX)`;
        next = number - 1;
      }
      const starred = (text: string | undefined) => {
        if (text !== '*') return text === undefined ? undefined : Number(text);
        const value = values[next++];
        return typeof value === 'number' ? value : undefined;
      };
      const wide = starred(width);
      const hasPoint = whole.includes('.');
      const exact = starred(precision) ?? (hasPoint ? 0 : undefined);
      if (next >= values.length) return `%!${verb}(MISSING)`;
      return formatVerb(values[next++], {
        verb,
        flags: wide !== undefined && wide < 0 ? `${flags}-` : flags,
        width: wide === undefined ? undefined : Math.min(Math.abs(wide), WIDTH_LIMIT),
        precision: exact === undefined ? undefined : Math.min(exact, WIDTH_LIMIT),
      });
    },
  );
  if (reordered || next >= values.length) return result;
  const extra = values
    .slice(next)
    .map((value) => (isNil(value) ? '<nil>' : `${typeName(value)}=${formatted(value)}`));
  return `${result}%!(EXTRA ${extra.join(', ')})`;
}

function formatVerb(value: unknown, verb: Verb): string {
  if (verb.verb === 'T') return pad(typeName(value), { ...verb, flags: verb.flags.replace('0', '') });
  const text = valueText(value, verb);
  return text ?? `%!${verb.verb}(${isNil(value) ? '<nil>' : `${typeName(value)}=${formatted(value)}`})`;
}

function valueText(value: unknown, verb: Verb): string | undefined {
  if (isNil(value)) return verb.verb === 'v' ? pad('<nil>', verb) : undefined;
  if (typeof value === 'string') return stringText(value, verb);
  if (typeof value === 'boolean') {
    return verb.verb === 't' || verb.verb === 'v' ? pad(String(value), verb) : undefined;
  }
  if (typeof value === 'number')
    return Number.isInteger(value) && !'eEfFgG'.includes(verb.verb)
      ? integerText(value, verb)
      : floatText(value, verb);
  return compositeText(value, verb);
}

/** Lists, maps and structs: the verb goes to what they hold. */
function compositeText(value: unknown, verb: Verb): string {
  const each = (item: unknown) => formatVerb(item, verb);
  if (Array.isArray(value)) return `[${value.map(each).join(' ')}]`;
  if (value instanceof GoStruct) {
    const named = verb.flags.includes('+') && verb.verb === 'v';
    return `{${[...value.fields].map(([name, field]) => (named ? `${name}:${each(field)}` : each(field))).join(' ')}}`;
  }
  return `map[${(mapEntries(value) ?? []).map(([key, item]) => `${each(key)}:${each(item)}`).join(' ')}]`;
}

function stringText(value: string, verb: Verb): string | undefined {
  const cut = verb.precision === undefined ? value : [...value].slice(0, verb.precision).join('');
  switch (verb.verb) {
    case 's':
      return pad(cut, verb);
    case 'v':
      return pad(verb.flags.includes('#') ? quoted(cut) : cut, verb);
    case 'q':
      return pad(verb.flags.includes('#') && !/[`\p{Cc}]/u.test(cut) ? `\`${cut}\`` : quoted(cut), verb);
    case 'x':
    case 'X': {
      const bytes = new TextEncoder().encode(value).slice(0, verb.precision);
      const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
      const text = hex.join(verb.flags.includes(' ') ? ' ' : '');
      return pad(verb.verb === 'X' ? text.toUpperCase() : text, verb);
    }
    default:
      return undefined;
  }
}

const BASES: Readonly<Record<string, number>> = { b: 2, o: 8, O: 8, d: 10, v: 10, x: 16, X: 16 };

function integerText(value: number, verb: Verb): string | undefined {
  if (verb.verb === 'c') return pad(point(value), verb);
  if (verb.verb === 'q') return pad(quotedCharacter(point(value)), verb);
  if (verb.verb === 'U') return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, verb);
  const base = BASES[verb.verb];
  if (base === undefined) return undefined;
  let digits = Math.abs(value).toString(base);
  if (verb.verb === 'X') digits = digits.toUpperCase();
  if (verb.precision !== undefined) digits = digits.padStart(verb.precision, '0');
  const prefix =
    verb.verb === 'O'
      ? '0o'
      : verb.flags.includes('#')
        ? ({ b: '0b', o: '0', x: '0x', X: '0X' }[verb.verb] ?? '')
        : '';
  const sign = signOf(value, verb);
  // a precision takes the zeros' place
  const flags = verb.precision === undefined ? verb.flags : verb.flags.replace('0', '');
  return padNumber(sign + prefix, digits, { ...verb, flags });
}

function floatText(value: number, verb: Verb): string | undefined {
  const { precision } = verb;
  const size = Math.abs(value);
  let digits: string;
  switch (verb.verb) {
    case 'f':
    case 'F':
      digits = size.toFixed(Math.min(precision ?? 6, 100));
      break;
    case 'e':
    case 'E':
      digits = exponent(size.toExponential(Math.min(precision ?? 6, 100)));
      break;
    case 'g':
    case 'G':
    case 'v':
      digits = precision === undefined ? formatNumber(size) : general(size, precision);
      break;
    default:
      return undefined;
  }
  return padNumber(
    signOf(value, verb),
    verb.verb === 'E' || verb.verb === 'G' ? digits.toUpperCase() : digits,
    verb,
  );
}

/** %.3g: significant digits, without zeros at the end. */
function general(size: number, precision: number): string {
  const digits = Math.min(Math.max(precision, 1), 100);
  const text = size.toExponential(digits - 1);
  const power = Number(text.slice(text.indexOf('e') + 1));
  if (power < -4 || power >= digits) return exponent(text.replace(/\.?0*e/, 'e'));
  const plain = size.toFixed(Math.min(Math.max(0, digits - 1 - power), 100));
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
}

/** Go writes at least two digits of an exponent. */
function exponent(text: string): string {
  return text.replace(/e([-+])(\d)$/, 'e$10$2');
}

function signOf(value: number, { flags }: Verb): string {
  if (value < 0) return '-';
  return flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
}

function padNumber(sign: string, digits: string, verb: Verb): string {
  const { flags, width = 0 } = verb;
  if (flags.includes('0') && !flags.includes('-')) return sign + digits.padStart(width - sign.length, '0');
  return pad(sign + digits, verb);
}

function pad(text: string, { flags, width = 0 }: Verb): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  return (flags.includes('0') ? '0' : ' ').repeat(missing) + text;
}

function point(value: number): string {
  return value >= 0 && value <= 0x10ffff ? String.fromCodePoint(value) : '�';
}
