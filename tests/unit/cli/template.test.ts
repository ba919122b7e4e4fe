import { describe, expect, it } from 'vitest';
import { parseTemplate } from '../../../src/engine/cli/template.ts';

const value = {
  Name: '/web',
  Id: 'abc',
  State: { Status: 'running', Running: true, ExitCode: 0 },
  Config: { Env: ['A=1', 'B=2'], Labels: { one: '1', two: '2' }, Cmd: null },
  Evil: '\x1b[2Jx',
};

const rows: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['{{.Name}}', '/web'],
  ['{{ .State.Status }}:{{.Id}}', 'running:abc'],
  ['{{json .Config.Env}}', '["A=1","B=2"]'],
  ['{{json .Config.Cmd}}', 'null'],
  ['{{.Config.Env}}', '[A=1 B=2]'],
  ['{{.Config.Labels}}', 'map[one:1 two:2]'],
  ['{{.State.Running}} {{.State.ExitCode}}', 'true 0'],
  ['{{.Config.Cmd}}', '<no value>'],
  ['{{join .Config.Env ","}}', 'A=1,B=2'],
  ['{{.Name | upper}}', '/WEB'],
  ['{{index .Config.Env 1}}', 'B=2'],
  ['{{index .Config.Labels "two"}}', '2'],
  ['{{len .Config.Env}}', '2'],
  ['{{range .Config.Env}}<{{.}}>{{end}}', '<A=1><B=2>'],
  ['{{range $i, $e := .Config.Env}}{{$i}}={{$e}} {{end}}', '0=A=1 1=B=2 '],
  ['{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}};{{end}}', 'one:1;two:2;'],
  ['{{range .Config.Cmd}}x{{else}}none{{end}}', 'none'],
  ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
  ['{{if .State.ExitCode}}bad{{else if eq .Id "abc"}}abc{{else}}no{{end}}', 'abc'],
  ['{{if and .State.Running (eq .Id "abc")}}both{{end}}', 'both'],
  ['{{with .State}}{{.Status}}{{end}}', 'running'],
  ['{{range .Config.Env}}{{$.Id}}{{end}}', 'abcabc'],
  ['{{with $x := .Id}}{{$x}}{{end}}', 'abc'],
  ['a {{- .Id -}} b', 'aabcb'],
  ['{{/* nothing */}}x', 'x'],
  ['{{"}}"}}{{`{{`}}', '}}{{'],
  ['{{println "a" 1}}', 'a 1\n'],
  // what an image says may not control the terminal
  ['{{.Evil}}', '?[2Jx'],
];

const broken: readonly (readonly [string, string])[] = [
  ['{{.Name', 'failed to parse template: template: :1: unclosed action'],
  ['{{nosuch .Name}}', 'failed to parse template: template: :1: function "nosuch" not defined'],
  ['{{if .Id}}x', 'failed to parse template: template: :1: unexpected EOF'],
  ['{{end}}', 'failed to parse template: template: :1: unexpected {{end}}'],
  ['{{}}', 'failed to parse template: template: :1: missing value for command'],
  [
    '{{.Nope}}',
    'template parsing error: template: :1: executing "" at <.Nope>: map has no entry for key "Nope"',
  ],
  ['{{.constructor}}', 'map has no entry for key "constructor"'],
  ['{{index .Config.Env 9}}', 'error calling index: index out of range: 9'],
];

describe('a template', () => {
  it.each(rows)('%s', (text, want) => {
    expect(parseTemplate(text).render(value)).toBe(want);
  });

  it.each(broken)('%s is refused', (text, message) => {
    expect(() => parseTemplate(text).render(value)).toThrow(message);
  });
});
