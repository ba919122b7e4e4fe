/** `--change` of `docker commit` and `docker import`: Dockerfile instructions that change what an image says will run. */

import { LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { Healthcheck, RuntimeConfig } from '../oci/config.ts';
import { expandWord, jsonStrings, splitWords } from './change-words.ts';

/** What a config says when it says nothing. */
export const EMPTY_RUNTIME: RuntimeConfig = {
  user: '',
  exposedPorts: [],
  env: [],
  entrypoint: [],
  cmd: [],
  volumes: [],
  workingDir: '',
  labels: {},
  stopSignal: '',
  shell: [],
  onBuild: [],
};

type Instruction = (config: RuntimeConfig, text: string) => RuntimeConfig;

/** The config after these instructions, one a string. LayerboxError in Docker's words. */
export function applyChanges(config: RuntimeConfig, changes: readonly string[]): RuntimeConfig {
  let changed = config;
  let isCommandSet = false;
  for (const line of changes.flatMap((change) => change.split('\n'))) {
    const [, name = '', text = ''] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(line) ?? [];
    if (name === '' || name.startsWith('#')) continue;
    const word = name.toUpperCase();
    const instruction = INSTRUCTIONS.get(word);
    if (instruction === undefined) throw wrong(`${printableName(word)} is not a valid change command`);
    if (text === '') throw wrong(`${word} requires at least one argument`);
    changed = instruction(changed, text);
    if (word === 'CMD') isCommandSet = true;
    // an entrypoint takes the command away that was meant for another one
    if (word === 'ENTRYPOINT' && !isCommandSet) changed = { ...changed, cmd: [] };
  }
  return changed;
}

const INSTRUCTIONS: ReadonlyMap<string, Instruction> = new Map<string, Instruction>([
  ['CMD', (config, text) => ({ ...config, cmd: commandOf(config, text) })],
  ['ENTRYPOINT', (config, text) => ({ ...config, entrypoint: commandOf(config, text) })],
  ['ENV', (config, text) => ({ ...config, env: withPairs(config.env, pairsOf('ENV', config, text)) })],
  [
    'LABEL',
    (config, text) => ({
      ...config,
      labels: { ...config.labels, ...Object.fromEntries(pairsOf('LABEL', config, text)) },
    }),
  ],
  [
    'EXPOSE',
    (config, text) => ({
      ...config,
      exposedPorts: union(config.exposedPorts, wordsOf(config, text).flatMap(portsOf)),
    }),
  ],
  [
    'VOLUME',
    (config, text) => ({
      ...config,
      volumes: union(
        config.volumes,
        (jsonStrings(text) ?? splitWords(text)).map((word) => volumeOf(expand(config, word))),
      ),
    }),
  ],
  ['USER', (config, text) => ({ ...config, user: single('USER', config, text) })],
  ['STOPSIGNAL', (config, text) => ({ ...config, stopSignal: single('STOPSIGNAL', config, text) })],
  ['WORKDIR', (config, text) => ({ ...config, workingDir: joined(config.workingDir, expand(config, text)) })],
  ['ONBUILD', (config, text) => ({ ...config, onBuild: [...config.onBuild, triggerOf(text)] })],
  ['HEALTHCHECK', (config, text) => ({ ...config, healthcheck: healthcheckOf(text) })],
]);

function commandOf(config: RuntimeConfig, text: string): readonly string[] {
  const shell = config.shell.length === 0 ? ['/bin/sh', '-c'] : config.shell;
  return jsonStrings(text) ?? [...shell, text];
}

function variables(config: RuntimeConfig): ReadonlyMap<string, string> {
  return new Map(
    config.env.map((entry) => {
      const equals = entry.indexOf('=');
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

const expand = (config: RuntimeConfig, word: string) => expandWord(word, variables(config));
const wordsOf = (config: RuntimeConfig, text: string) => splitWords(text).map((word) => expand(config, word));

function single(name: string, config: RuntimeConfig, text: string): string {
  const [word = '', ...more] = wordsOf(config, text);
  if (more.length > 0) throw wrong(`${name} requires exactly one argument`);
  return word;
}

/** `A=b C="d e"`, or `A b c` for one value with blanks in it. */
function pairsOf(name: string, config: RuntimeConfig, text: string): readonly (readonly [string, string])[] {
  const words = splitWords(text);
  const [first = ''] = words;
  if (!first.includes('=')) {
    const rest = text.slice(first.length).trim();
    if (rest === '') throw wrong(`${name} must have two arguments`);
    return [[expand(config, first), expand(config, rest)]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) {
      throw wrong(
        `Syntax error - can't find = in ${JSON.stringify(printableName(word))}. Must be of the form: name=value`,
      );
    }
    const key = expand(config, word.slice(0, equals));
    if (key === '') throw wrong(`${name} names can not be blank`);
    return [key, expand(config, word.slice(equals + 1))];
  });
}

function withPairs(env: readonly string[], pairs: readonly (readonly [string, string])[]): readonly string[] {
  const entries = new Map(env.map((entry) => [entry.split('=', 1)[0] ?? '', entry]));
  for (const [name, value] of pairs) entries.set(name, `${name}=${value}`);
  return [...entries.values()];
}

/** `80`, `53/udp`, `7000-7002/tcp`. */
function portsOf(text: string): readonly string[] {
  const [, first, last = first, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const from = Number(first ?? Number.NaN);
  const to = Number(last ?? Number.NaN);
  if (!(from <= to && to <= 65_535)) throw wrong(`invalid containerPort: ${printableName(text)}`);
  return Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${protocol.toLowerCase()}`);
}

function volumeOf(path: string): string {
  if (path.trim() === '') throw wrong('VOLUME specified can not be an empty string');
  return path;
}

/** As `cd` would get there. */
function joined(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function triggerOf(text: string): string {
  const [trigger = ''] = text.split(/\s/, 1);
  const word = trigger.toUpperCase();
  if (word === 'ONBUILD') throw wrong("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (word === 'FROM' || word === 'MAINTAINER') throw wrong(`${word} isn't allowed as an ONBUILD trigger`);
  return text;
}

const DURATION_UNITS: Readonly<Record<string, number>> = { h: 3600e9, m: 60e9, s: 1e9, ms: 1e6, us: 1e3 };

const HEALTH_OPTIONS = ['interval', 'timeout', 'start-period', 'start-interval', 'retries'];

function healthcheckOf(text: string): Healthcheck {
  const options = new Map<string, string>();
  let rest = text;
  for (;;) {
    const [whole, name, value] = /^--([a-z-]+)=(\S+)\s+/.exec(rest) ?? [];
    if (whole === undefined || name === undefined || value === undefined) break;
    if (!HEALTH_OPTIONS.includes(name)) throw wrong(`Unknown flag: ${name}`);
    options.set(name, value);
    rest = rest.slice(whole.length);
  }
  const [, kind = '', command = ''] = /^(\S+)\s*(.*)$/s.exec(rest) ?? [];
  const nanoseconds = (name: string) => durationOf(name, options.get(name));
  const test =
    kind.toUpperCase() === 'NONE'
      ? ['NONE']
      : kind.toUpperCase() === 'CMD' && command !== ''
        ? testOf(command)
        : undefined;
  if (test === undefined) {
    throw wrong(`Unknown type ${JSON.stringify(printableName(kind))} in HEALTHCHECK (try CMD)`);
  }
  return {
    test,
    interval: nanoseconds('interval'),
    timeout: nanoseconds('timeout'),
    startPeriod: nanoseconds('start-period'),
    startInterval: nanoseconds('start-interval'),
    retries: retriesOf(options.get('retries') ?? '0'),
  };
}

function retriesOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw wrong(`invalid value for --retries of HEALTHCHECK: ${JSON.stringify(printableName(text))}`);
}

function testOf(command: string): readonly string[] {
  const words = jsonStrings(command);
  return words === undefined ? ['CMD-SHELL', command] : ['CMD', ...words];
}

/** Nanoseconds of `1m30s`; 0 for none. */
function durationOf(name: string, text: string | undefined): number {
  if (text === undefined) return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|us|h|m|s)/gy)];
  if (parts.map(([part]) => part).join('') !== text) {
    throw wrong(`invalid value for --${name} of HEALTHCHECK: ${JSON.stringify(printableName(text))}`);
  }
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (DURATION_UNITS[unit] ?? 0), 0);
}

function union(before: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...before, ...more])];
}

function wrong(message: string): Error {
  return new LayerboxError(message);
}
