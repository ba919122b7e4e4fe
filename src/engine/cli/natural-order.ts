/** The order in which Docker's client lists names: digits count as numbers (its sortorder package, NaturalLess). */

/** Negative, zero or positive: `a2` is before `a10`. */
export function compareNatural(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const [x, y] = [digitsAt(a, i), digitsAt(b, j)];
    if (x === '' || y === '') {
      const difference = a.charCodeAt(i) - b.charCodeAt(j);
      if (difference !== 0) return difference;
      i += 1;
      j += 1;
      continue;
    }
    const [p, q] = [x.replace(/^0+/, ''), y.replace(/^0+/, '')];
    if (p.length !== q.length) return p.length - q.length;
    if (p !== q) return p < q ? -1 : 1;
    if (x.length !== y.length) return x.length - y.length;
    i += x.length;
    j += y.length;
  }
  return a.length - i - (b.length - j);
}

function digitsAt(text: string, at: number): string {
  let end = at;
  while (end < text.length && /[0-9]/.test(text.charAt(end))) end += 1;
  return text.slice(at, end);
}
