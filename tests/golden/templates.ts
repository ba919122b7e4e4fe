/** Templates, and the document that they are run over. */

/** As the API sends it: a container, and members that no type of the client has. */
export const DOCUMENT = {
  Id: 'abc',
  Created: '2026-01-02T03:04:05Z',
  Name: '/web',
  State: {
    Status: 'running',
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 7,
    ExitCode: 0,
    Error: '',
    StartedAt: '',
    FinishedAt: '',
  },
  Config: {
    Hostname: 'h',
    Env: ['A=1', 'B=2'],
    Labels: { one: '1', two: '2', evil: '<b>' },
    Cmd: null,
  },
  HostConfig: { NetworkMode: 'none', Memory: 1000 },
  Extra: { nil: null, list: [1, 'a', null], map: { b: 2, a: 1 }, text: 'x y' },
  NetworkSettings: {
    Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
    Networks: { bridge: { IPAddress: '172.17.0.2' } },
  },
  Mounts: [
    {
      Type: 'volume',
      Name: 'v',
      Source: '/s',
      Destination: '/d',
      Driver: 'local',
      Mode: 'z',
      RW: true,
      Propagation: '',
    },
  ],
};

export const TEMPLATES: readonly string[] = String.raw`
plain
a\tb\nc
{{.Name}}
{{ .State.Status }}:{{.Id}}
{{.State}}
{{.State.Health}}
{{if .State.Health}}a{{else}}b{{end}}
{{.State.Health.Status}}
{{.Config.Cmd}}
{{.Config.Env}} {{.Config.Labels}}
{{.Mounts}}
{{.NetworkSettings.Ports}}
{{.Created}}
{{.HostConfig.Memory}} {{.HostConfig.NetworkMode}} {{.HostConfig.PidsLimit}} {{.HostConfig.Privileged}}
{{.Extra.nil}} {{.Extra.list}} {{.Extra.map}}
{{json .Config.Labels}}
{{json .Config.Cmd}}
{{json .State}}
{{json .Extra}}
{{json .Name}}
{{.State.Nope}}
{{.Nope}}
{{.Config.Labels.nope}}
{{.Config.Labels.one}}
{{.Name.Foo}}
{{.Extra.nil.Foo}}
{{.Config.Env.Foo}}
{{.Name 1}}
{{"a" 1}}
{{.Name | .Id}}
{{"a" | 3}}
{{.Name.}}
{{.Name
{{nosuch .Name}}
{{if .Id}}x
{{end}}
{{else}}
{{}}
{{if}}{{end}}
{{range}}{{end}}
{{if .Id}}a{{else}}b{{else}}c{{end}}
{{)}}
{{(.Name}}
{{()}}
{{"abc}}
{{#}}
{{1a}}
{{nil}}
{{$x}}
{{"\q"}}
{{.Name | }}
{{|}}
{{define}}
{{define "a"}}
{{template}}
{{template "no" .}}
{{/* c }}
{{/* c */ }}
{{break}}
{{continue}}
{{"}}"}}{{$B}}{{ $B}}{{"a\tb\"c\u00e9\x41\101"}}
{{/* c */}}x{{- /* d */ -}} y
a {{- .Id -}} b
a  {{-   .Id}} {{.Id   -}}   b
{{with .State}}{{.Status}}{{end}}
{{with .Config.Cmd}}a{{else}}b{{end}}
{{with .Config.Cmd}}a{{else with .Id}}{{.}}{{end}}
{{with $x := .Id}}{{$x}}{{end}}
{{with .Nope}}a{{else}}b{{end}}
{{if .State.ExitCode}}bad{{else if eq .Name "/web"}}web{{else}}no{{end}}
{{if and .State.Running (eq .Id "abc")}}both{{end}}
{{range .Config.Env}}<{{.}}>{{end}}
{{range $i, $e := .Config.Env}}{{$i}}={{$e}} {{end}}
{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}};{{end}}
{{range .Config.Cmd}}x{{else}}none{{end}}
{{range .Config.Env}}{{$.Id}}{{end}}
{{range $i,$e := .Config.Env}}{{if $i}}{{break}}{{end}}{{$e}}{{end}}
{{range .Config.Env}}{{if eq . "A=1"}}{{continue}}{{end}}{{.}}{{end}}
{{range $p, $c := .NetworkSettings.Ports}}{{$p}} -> {{(index $c 0).HostPort}}{{end}}
{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}
{{range .Mounts}}{{.Name}}:{{.Destination}}{{end}}
{{range 3}}{{.}}{{end}}
{{range $i := 2}}{{$i}}{{end}}
{{range .Name}}x{{end}}
{{range $a, $b, $c := .Name}}x{{end}}
{{$x := 1}}{{$x = 2}}{{$x}}
{{$x := 1}}{{if true}}{{$x := 5}}{{$x}}{{end}}{{$x}}
{{$x := 1}}{{range .Config.Env}}{{$x = .}}{{end}}{{$x}}
{{$x = 1}}
{{if true}}{{$y := 1}}{{end}}{{$y}}
{{define "T"}}<{{.}}>{{end}}{{template "T" .Name}}{{template "T"}}
{{block "B" .Id}}[{{.}}]{{end}}{{template "B" .Name}}
{{define "T"}}{{$.Id}}{{end}}{{template "T" .}}
{{index .Config.Env 1}} {{index .Config.Labels "two"}} {{index .Config.Labels "nope"}}
{{index .Config.Env 9}}
{{index .Config.Env "a"}}
{{index .Mounts 0 1}}
{{index .Extra.nil 0}}
{{index .Id 0}}
{{(index .Mounts 0).Source}}
{{(index .Mounts 0).Nope}}
{{.Mounts | len}} {{len .Config.Labels}} {{len .Name}}
{{len 3}}
{{len}}
{{upper 3}}
{{upper .State.Running}}
{{upper .Name .Id}}
{{.Name | upper}} {{lower "ABC"}} {{title "hello big-world"}}
{{split .Name "w"}} {{index (split "a:b" ":") 1}}
{{join .Config.Env ","}}
{{join .Mounts ","}}
{{.ID}} {{.State.ExitCode}}
{{.HostConfig.RestartPolicy}} {{.HostConfig.LogConfig}}
{{.HostConfig.RestartPolicy.Name}}
{{.NetworkSettings.IPAddress}}
{{.SizeRw}}
{{join .Name ","}}
{{join .Config.Cmd ","}}
{{pad "a" 1 2}}|{{pad "" 1 2}}|{{truncate "hello" 2}}|{{truncate "h" 2}}
{{truncate "hello" "a"}}
{{slice .Name 1 3}} {{slice .Config.Env 1}} {{slice .Name}}
{{slice .Name 9}}
{{slice .Name 2 1}}
{{slice .State 1}}
{{print "a" 1 2 "b" "c" 3 true}}
{{println "a" 1 true}}
{{printf "%5d|%-5d|%05d|%+d|%x|%X|%#x|%o|%b|%c|%q|%U" 3 4 5 6 255 255 255 8 5 97 97 97}}
{{printf "%s|%10s|%-10s|%q|%x|%X|%.2s|%5.1s|%v" "ab" "cd" "ef" "g\"h" "hi" "hi" "xyz" "xyz" "w"}}
{{printf "%v|%t|%5t|%v|%q|%s|%d" .Config.Env true false true .Config.Env .Config.Env .Config.Env}}
{{printf "%f|%.2f|%8.3f|%e|%g|%G|%v|%6.2f|%-8.1f|%08.2f" 1.5 1.555 3.14159 1234.5 0.00001 1e21 2.5 2.5 2.5 2.5}}
{{printf "%d" "a"}} {{printf "%s" 1}} {{printf "%z" 1}} {{printf "%d"}} {{printf "a" 1}} {{printf "%"}} {{printf "%!"}} {{printf "%%"}}
{{printf "%[2]d %[1]d" 1 2}} {{printf "%[3]d" 1}} {{printf "%*d" 5 1}} {{printf "%.*f" 1 2.55}}
{{printf "%T %T %T %T %T" 1 "a" true 1.5 nil}}
{{printf "%v %d %s" nil nil nil}}
{{printf "%t" 1}} {{printf "%x" .Config.Env}} {{printf "%v" .Extra.map}} {{printf "%s" .Config.Labels}}
{{printf .Name}} {{"%d" | printf}} {{1 | printf "%d-%d" 2}}
{{printf 1}}
{{html "<a href='x'>&\"" }} {{js "'x\"<>&=\\"}} {{urlquery "a b&c/é"}}
{{1}} {{-1}} {{+1}} {{1.5}} {{1.0}} {{1e3}} {{0x1F}} {{0b11}} {{0o17}} {{017}} {{'a'}} {{'\n'}} {{1_000}} {{1000000}} {{123456789.5}} {{1e20}} {{1e21}} {{0.00001}} {{1e-7}}
{{true}} {{not true}} {{not .Id}} {{not .Config.Cmd}}
{{and 1 0}} {{and 0 1}} {{and 1 2}} {{or 0 "x"}} {{or 0 ""}}
{{and true .Nope}}
{{and false .Nope}} {{or true .Nope}}
{{and}}
{{eq 1 1}} {{eq "a" "b" "a"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 2 1}} {{ge 1 2}} {{eq true true}} {{lt "a" "b"}} {{eq 1.5 1.5}}
{{eq .Name 1}}
{{eq .Name}}
{{eq}}
{{lt .Name 1}}
{{lt true false}}
{{eq .Mounts 1}}
{{ne 1 2 3}}
{{eq .State.Status "running" | not}}
{{call .Name}}
{{(.Name)}} {{(.State).Status}} {{((.State)).Status}}
{{(print "a" | upper)}}
{{.Name | printf "%s-%s" "x" | upper | len}}
{{"quoted" | printf "%q"}}
{{if eq 1 2}}a{{else if eq 1 1}}b{{else}}c{{end}}{{if not false}}d{{end}}
{{range $i, $m := .Mounts}}{{if $i}},{{end}}{{with $m}}{{.Type}}{{end}}{{end}}
{{len (slice .Config.Env 1)}} {{index (index .Mounts 0).Name 0}}
{{printf "%-10s|%6.2f|%03d" .Id 3.14159 7}}
{{range .Extra.list}}[{{.}}]{{end}}
{{.Extra.text | printf "%q" | html}}
`
  .trim()
  .split('\n')
  .map((line) => line.replaceAll('$B', '`{{`'));
