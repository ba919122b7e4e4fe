/** Templates and documents over what somebody else has written: nothing is lost in JSON, nothing controls a terminal. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestSandbox } from '../container/sandbox.ts';
import { DANGEROUS, HOSTILE, HOSTILE_WORD, LONG, openHostile } from './hostile-sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await openHostile();
});
afterAll(() => sandbox.engine.close());

describe('a template', () => {
  it.each([
    ['ps -a --format', '{{.Labels}}'],
    ['ps -a --format', '{{.Command}}'],
    ['ps -a --format', 'table {{.Names}}\\t{{.Label "plain"}}\\t{{.Labels}}'],
    ['ps -a --no-trunc --format', 'table {{.Command}}\\t{{.Names}}'],
    ['ps -a --format', '{{json .}}'],
    ['ps -a --format', 'json'],
    ['ps -a --format', 'raw'],
    ['images --format', '{{json .}}'],
    ['history --format', '{{.CreatedBy}}|{{.Comment}}'],
    ['history --no-trunc --format', 'table {{.CreatedBy}}\\t{{.Comment}}'],
    ['history --no-trunc --format', 'json'],
    ['volume ls --format', '{{.Labels}}'],
    ['volume ls --format', 'table {{.Name}}\\t{{.Labels}}'],
    ['volume ls --format', 'json'],
    ['network ls --format', '{{.Labels}}'],
    ['network ls --format', 'json'],
    ['events --since 1h --until 0s --format', '{{.Actor.Attributes}}'],
    ['events --since 1h --until 0s --format', '{{json .}}'],
    ['events --since 1h --until 0s --format', 'json'],
    ['system df -v --format', '{{json .Containers}}'],
    ['system df -v --format', 'json'],
    ['inspect -f', '{{.Config.Labels}}'],
    ['inspect -f', '{{range $name, $value := .Config.Labels}}{{$name}}={{$value}}{{println}}{{end}}'],
    ['inspect -f', '{{index .Config.Labels "plain"}}'],
    ['inspect -f', '{{printf "%s|%v|%q" .Args .Path .Config.Env}}'],
    ['inspect -f', '{{join .Config.Env "\\u001b[31m"}}'],
    ['inspect -f', '{{println .Config.Cmd}}{{print .Config.Labels}}{{js .Args}}{{html .Args}}'],
    ['inspect -f', '{{json .}}'],
    ['inspect -f', 'json'],
  ])('docker %s %s prints no character that a terminal obeys', async (line, template) => {
    const words = line.split(' ');
    const target = words[0] === 'history' ? ['localhost:5000/app'] : words[0] === 'inspect' ? ['web'] : [];
    const { code, out, err } = await sandbox.docker([...words, template, ...target]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(DANGEROUS.exec(out)?.[0]).toBe(undefined);
    expect(out.length).toBeGreaterThan(10);
  });

  it.each([
    ['ps -a', '{{.\x1b[31m}}'],
    ['inspect web', '{{.\x1b[31m}}'],
    ['inspect web', '{{index .Config.Labels "\x9b31m"}}'],
    ['inspect web', '{{"\\x1b[31m"}}{{"\\u009b"}}'],
    ['inspect web', '{{printf "%c" 27}}'],
    ['version', '{{.\x9b}}'],
    ['info', '{{\x1b'],
  ])('docker %s --format %j does nothing to the terminal', async (line, template) => {
    const { out, err } = await sandbox.docker([...line.split(' '), '--format', template]);
    expect(DANGEROUS.exec(out + err)?.[0]).toBe(undefined);
    expect(out + err).not.toBe('');
  });
});

describe('the words of a template itself', () => {
  it('are as they were typed, as with Docker: who types them may want colours', async () => {
    const { out } = await sandbox.docker(['ps', '--format', '\x1b[31m{{.Names}}\x1b[0m {{.Label "plain"}}']);
    expect(out.startsWith('\x1b[31mweb\x1b[0m a?[31mred')).toBe(true);
    expect(DANGEROUS.exec(out.replaceAll('\x1b[31m', '').replaceAll('\x1b[0m', ''))?.[0]).toBe(undefined);
  });
});

describe('docker inspect', () => {
  it.each(['inspect web', 'inspect localhost:5000/app', 'volume inspect store', 'network inspect net'])(
    'docker %s is JSON that says all there is, in characters that no terminal obeys',
    async (line) => {
      const { code, out } = await sandbox.docker(line);
      expect(code).toBe(0);
      expect(DANGEROUS.exec(out)?.[0]).toBe(undefined);
      const [{ Labels, Config }] = JSON.parse(out);
      expect((Labels ?? Config.Labels)[HOSTILE_WORD]).toBe(HOSTILE);
    },
  );

  it('has long texts whole', async () => {
    const [{ Config, Args }] = JSON.parse((await sandbox.docker('inspect web')).out);
    expect(Config.Labels.long).toBe(LONG);
    expect(Args).toEqual([HOSTILE]);
  });
});
