/** The processes of a container as the host's side sees them: `docker top`. */

import { decodeName } from '../names.ts';
import type { Machine, SpawnSpec } from './machine.ts';

export interface GuestProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number;
  /** As ps(1) has it: R, S, D, T, Z. */
  readonly state: string;
  /** What the kernel calls it, when it has no words. */
  readonly name: string;
  readonly words: readonly string[];
  /** Seconds. */
  readonly cpu: number;
  readonly age: number;
  /** Bytes. */
  readonly virtual: number;
  readonly resident: number;
  readonly isForeground: boolean;
  readonly isLeader: boolean;
  /** Of its terminal, 0 for none: major and minor as proc(5) packs them. */
  readonly terminal: number;
}

const TICKS = 100;
const PAGE = 4096;

/** One record for each process, fields and records apart by characters that no name of theirs has to hold. */
const SCRIPT = [
  'read -r up _ < /proc/uptime; printf "%s\\0" "$up"',
  'while read -r pid; do',
  '  { read -r -d "" stat < /proc/$pid/stat || [ -n "$stat" ]; } 2>/dev/null || continue',
  '  uid=; while read -r key own _; do [ "$key" = Uid: ] && uid=$own && break; done < /proc/$pid/status 2>/dev/null',
  '  mapfile -d "" -t words < /proc/$pid/cmdline 2>/dev/null',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
  '  printf "%s\\0%s\\0%s\\0" "$stat" "$uid" "${#words[@]}"; [ "${#words[@]}" = 0 ] || printf "%s\\0" "${words[@]}"',
  'done < "$1"',
].join('\n');

/** What runs in the cgroup, by pid. Errors of the machine. */
export async function processesOf(machine: Machine, cgroup: string): Promise<readonly GuestProcessEntry[]> {
  const spec: SpawnSpec = {
    argv: ['bash', '-c', SCRIPT, 'bash', `${cgroup}/cgroup.procs`],
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    cwd: '/',
    uid: 0,
    gid: 0,
  };
  const process = await machine.spawn(spec);
  process.closeInput();
  let text = '';
  for await (const { stream, bytes } of process.output) if (stream === 'out') text += decodeName(bytes);
  await process.exit;
  return parseProcesses(text);
}

/** What the script printed. */
export function parseProcesses(text: string): readonly GuestProcessEntry[] {
  const [uptime = '0', ...fields] = text.split('\0');
  const entries: GuestProcessEntry[] = [];
  for (let at = 0; at + 2 < fields.length; ) {
    const [stat = '', uid = '', count = '0'] = fields.slice(at, at + 3);
    at += 3;
    const words = fields.slice(at, at + Number(count));
    at += words.length;
    const entry = entryOf(stat, Number(uid), words, Number(uptime));
    if (entry !== undefined) entries.push(entry);
  }
  return entries.sort((a, b) => a.pid - b.pid);
}

/** proc(5): the name is in brackets, and may have brackets and blanks itself. */
function entryOf(
  stat: string,
  uid: number,
  words: readonly string[],
  uptime: number,
): GuestProcessEntry | undefined {
  const match = /^(\d+) \((.*)\) (\S) (.*)$/s.exec(stat.trim());
  if (match === null) return undefined;
  const [, pid = '', name = '', state = '', rest = ''] = match;
  const numbers = rest.split(' ').map(Number);
  const field = (number: number) => numbers[number - 4] ?? 0; // ppid is the fourth
  return {
    pid: Number(pid),
    parent: field(4),
    uid,
    state,
    name,
    words,
    cpu: (field(14) + field(15)) / TICKS,
    age: Math.max(0, uptime - field(22) / TICKS),
    virtual: field(23),
    resident: field(24) * PAGE,
    isForeground: field(8) === field(5),
    isLeader: field(6) === Number(pid),
    terminal: field(7),
  };
}
