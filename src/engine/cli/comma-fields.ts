/** One record of comma-separated values, as Go's encoding/csv reads it: `a,"b,c","d""e"`. */

/** The fields, or what is wrong with the record in Go's words. */
export function commaFields(line: string): readonly string[] | string {
  if (line === '') return 'EOF';
  const fields: string[] = [];
  const fault = (at: number, what: string) => `parse error on line 1, column ${at + 1}: ${what}`;
  for (let at = 0; at <= line.length; at++) {
    if (line[at] !== '"') {
      const end = line.indexOf(',', at) < 0 ? line.length : line.indexOf(',', at);
      const quote = line.slice(at, end).indexOf('"');
      if (quote >= 0) return fault(at + quote, 'bare " in non-quoted-field');
      fields.push(line.slice(at, end));
      at = end;
      continue;
    }
    let field = '';
    for (at += 1; ; at++) {
      if (at >= line.length) return fault(line.length, 'extraneous or missing " in quoted-field');
      if (line[at] !== '"') field += line[at];
      else if (line[at + 1] === '"') {
        field += '"';
        at += 1;
      } else break;
    }
    at += 1;
    if (at < line.length && line[at] !== ',') return fault(at, 'extraneous or missing " in quoted-field');
    fields.push(field);
  }
  return fields;
}
