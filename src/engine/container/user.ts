/**
 * `name|uid[:group|gid]` resolved as Docker does it: against the passwd and group files of the container.
 * What is a number needs no entry.
 */

import { LayerboxError } from '../errors.ts';

export interface ExecUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; the user's own is the first, so that no file can be kept from it as from others. */
  readonly groups: readonly number[];
  readonly home: string;
}

/** user_namespaces(7) has 32 bits; Docker takes 31. */
const LIMIT = 2 ** 31;

/**
 * `passwd` and `group`: the files' text, '' when there is none; `more`: groups besides, by name or number. LayerboxError in Docker's words when a name has no
 * entry or a number is out of range.
 */
export function resolveUser(
  spec: string,
  passwd: string,
  group: string,
  more: readonly string[] = [],
): ExecUser {
  const user = userAlone(spec, passwd, group);
  const added = more.map((name) => groupNumber(name, group, name));
  return { ...user, groups: [...new Set([...user.groups, ...added])] };
}

function groupNumber(wanted: string, group: string, spec: string): number {
  const gid = findGroup(wanted, group) ?? numberOf(wanted);
  if (gid !== undefined) return inRange(gid);
  throw new LayerboxError(`unable to find group ${wanted}: no matching entries in group file`, {
    user: spec,
  });
}

function userAlone(spec: string, passwd: string, group: string): ExecUser {
  const colon = spec.indexOf(':');
  const userPart = colon < 0 ? spec : spec.slice(0, colon);
  const groupPart = colon < 0 ? '' : spec.slice(colon + 1);
  const entry = findUser(userPart, passwd);
  const number = numberOf(userPart);
  if (entry === undefined && userPart !== '' && number === undefined) {
    throw new LayerboxError(`unable to find user ${userPart}: no matching entries in passwd file`, {
      user: spec,
    });
  }
  const uid = entry?.uid ?? number ?? 0;
  const home = entry?.home || '/';
  if (groupPart === '') {
    const own = inRange(entry?.gid ?? 0);
    const others = entry === undefined ? [] : groupsOf(entry.name, group);
    return { uid: inRange(uid), gid: own, groups: [...new Set([own, ...others])], home };
  }
  const gid = groupNumber(groupPart, group, spec);
  return { uid: inRange(uid), gid, groups: [gid], home };
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** passwd(5): `name:password:uid:gid:gecos:home:shell`. No user at all means the one with uid 0. */
function findUser(wanted: string, passwd: string): PasswdEntry | undefined {
  for (const line of passwd.split('\n')) {
    const [name = '', , uidText = '', gidText = '', , home = ''] = line.trim().split(':');
    const uid = numberOf(uidText);
    if (name === '' || uid === undefined) continue;
    const matches = wanted === '' ? uid === 0 : name === wanted || numberOf(wanted) === uid;
    if (matches) return { name, uid, gid: numberOf(gidText) ?? 0, home };
  }
  return undefined;
}

/** group(5): `name:password:gid:members`. */
function findGroup(wanted: string, group: string): number | undefined {
  for (const line of group.split('\n')) {
    const [name = '', , gidText = ''] = line.trim().split(':');
    const gid = numberOf(gidText);
    if (name !== '' && gid !== undefined && (name === wanted || numberOf(wanted) === gid)) return gid;
  }
  return undefined;
}

function groupsOf(user: string, group: string): number[] {
  const groups: number[] = [];
  for (const line of group.split('\n')) {
    const [, , gidText = '', members = ''] = line.trim().split(':');
    const gid = numberOf(gidText);
    if (gid !== undefined && gid < LIMIT && members.split(',').includes(user)) groups.push(gid);
  }
  return groups;
}

function numberOf(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function inRange(id: number): number {
  if (id < LIMIT) return id;
  throw new LayerboxError('uids and gids must be in range 0-2147483647', { id });
}
