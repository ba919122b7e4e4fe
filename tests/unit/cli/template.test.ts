/** What tests/golden/templates.test.ts has not: values without a type, contexts, and hostile templates. */

import { describe, expect, it } from 'vitest';
import { parseTemplate } from '../../../src/engine/cli/template.ts';
import { GoStruct } from '../../../src/engine/cli/template-values.ts';

const value = {
  Name: '/web',
  Id: 'abc',
  Config: { Env: ['A=1', 'B=2'], Labels: { one: '1', two: '2' }, Cmd: null },
  Evil: '\x1b[2Jx\u009b1m\ty\nz',
};

const context = new GoStruct('*formatter.ThingContext', [['Name', 'web']], {
  document: { Name: '<web>', A: null },
  fallsBack: false,
  methods: new Map([['Label', { parameters: 1, call: (name = '') => `label ${name}` }]]),
});

describe('a template', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['{{.Config.Cmd}}', '<no value>'],
    ['{{index .Config.Labels "two"}}{{index .Config.Labels "three"}}', '2<no value>'],
    // what an image says may not control the terminal
    ['{{.Evil}}', '?[2Jx?1m\ty\nz'],
    ['{{printf "%s" .Evil}}{{range .Config.Env}}{{end}}', '?[2Jx?1m\ty\nz'],
    ['{{json .Evil}}', '"\\u001b[2Jx\\u009b1m\\ty\\nz"'],
  ];
  it.each(rows)('%s of plain values', (text, want) => {
    expect(parseTemplate(text).render(value)).toBe(want);
  });

  const ofContext: readonly (readonly [string, string])[] = [
    ['{{.Name}} {{.Label "x"}} {{"y" | .Label}}', 'web label x label y'],
    ['{{json .}}', '{"A":null,"Name":"\\u003cweb\\u003e"}'],
    ['{{if .}}true{{end}}', 'true'],
  ];
  it.each(ofContext)('%s of a row', (text, want) => {
    expect(parseTemplate(text).render(context)).toBe(want);
  });

  const refused: readonly (readonly [string, string])[] = [
    ['{{.Nope}}', "at <.Nope>: can't evaluate field Nope in type *formatter.ThingContext"],
    ['{{.Label}}', 'at <.Label>: wrong number of args for Label: want 1 got 0'],
    ['{{.Label 1}}', 'at <.Label>: wrong type for value; expected string'],
    ['{{.constructor}}', "can't evaluate field constructor"],
  ];
  it.each(refused)('%s of a row is refused', (text, message) => {
    expect(() => parseTemplate(text).render(context)).toThrow(message);
  });

  it('finds nothing that every JavaScript object has', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(() => parseTemplate(`{{.${name}}}`).render(value)).toThrow(`map has no entry for key "${name}"`);
    }
    expect(() => parseTemplate('{{constructor}}')).toThrow('function "constructor" not defined');
  });

  it('counts lines, and columns in bytes, in its messages', () => {
    expect(() => parseTemplate('é\n{{.Id}}é{{.Nope}}').render(value)).toThrow(
      'template: :2:11: executing "" at <.Nope>',
    );
    expect(() => parseTemplate('\n\n{{end}}')).toThrow('template: :3: unexpected {{end}}');
  });

  it('that never ends is stopped', () => {
    const loops = '{{define "T"}}{{template "T" .}}{{end}}{{template "T" .}}';
    expect(() => parseTemplate(loops).render(value)).toThrow('exceeded maximum template depth');
    expect(() => parseTemplate('{{range 1000000000}}{{printf "%9000d" 1}}{{end}}').render(value)).toThrow(
      'the output is longer than 16 MB',
    );
    expect(() => parseTemplate('{{range 100000000000}}{{end}}').render(value)).toThrow('takes more than');
    expect(() => parseTemplate('{{if true}}'.repeat(1000))).toThrow('nested too deeply');
    expect(() => parseTemplate(`{{${'('.repeat(1000)}1${')'.repeat(1000)}}}`)).toThrow('nested too deeply');
    expect(parseTemplate('{{printf "%99999999d" 1}}').render(value).length).toBe(10_000);
  });
});
