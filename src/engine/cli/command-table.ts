/** All commands by name, and what Docker has besides. */

import { NotYetError, UsageError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { Command } from './command.ts';
import { attach } from './commands/attach.ts';
import { commit } from './commands/commit.ts';
import { containerPrune } from './commands/container-prune.ts';
import { cp } from './commands/cp.ts';
import { create } from './commands/create.ts';
import { diff } from './commands/diff.ts';
import { events } from './commands/events.ts';
import { exec } from './commands/exec.ts';
import { exportCommand } from './commands/export.ts';
import { history } from './commands/history.ts';
import { imagePrune } from './commands/image-prune.ts';
import { images } from './commands/images.ts';
import { imagetools } from './commands/imagetools.ts';
import { importCommand } from './commands/import.ts';
import { info } from './commands/info.ts';
import { containerInspect, imageInspect, inspect } from './commands/inspect.ts';
import { kill } from './commands/kill.ts';
import { load } from './commands/load.ts';
import { login } from './commands/login.ts';
import { logout } from './commands/logout.ts';
import { logs } from './commands/logs.ts';
import { manifestInspect } from './commands/manifest-inspect.ts';
import { networkConnect, networkDisconnect } from './commands/network-connect.ts';
import { networkCreate } from './commands/network-create.ts';
import { networkInspect } from './commands/network-inspect.ts';
import { networkLs } from './commands/network-ls.ts';
import { networkPrune } from './commands/network-prune.ts';
import { networkRm } from './commands/network-rm.ts';
import { pause, unpause } from './commands/pause.ts';
import { port } from './commands/port.ts';
import { ps } from './commands/ps.ts';
import { pull } from './commands/pull.ts';
import { push } from './commands/push.ts';
import { rename } from './commands/rename.ts';
import { restart } from './commands/restart.ts';
import { rm } from './commands/rm.ts';
import { rmi } from './commands/rmi.ts';
import { run } from './commands/run.ts';
import { save } from './commands/save.ts';
import { scoutAttestation, scoutSbom } from './commands/scout.ts';
import { search } from './commands/search.ts';
import { start } from './commands/start.ts';
import { stats } from './commands/stats.ts';
import { stop } from './commands/stop.ts';
import { systemDf } from './commands/system-df.ts';
import { systemPrune } from './commands/system-prune.ts';
import { tag } from './commands/tag.ts';
import { top } from './commands/top.ts';
import { update } from './commands/update.ts';
import { version } from './commands/version.ts';
import { volumeCreate } from './commands/volume-create.ts';
import { volumeInspect } from './commands/volume-inspect.ts';
import { volumeLs } from './commands/volume-ls.ts';
import { volumePrune } from './commands/volume-prune.ts';
import { volumeRm } from './commands/volume-rm.ts';
import { wait } from './commands/wait.ts';

export type CommandTable = ReadonlyMap<string, Command>;

export interface Management {
  readonly summary: string;
  readonly commands: CommandTable;
  /** Names that the help leaves out: `list` for `ls`. */
  readonly hidden: readonly string[];
  readonly later: readonly string[];
}

export const COMMANDS: CommandTable = tableOf({
  attach,
  events,
  pause,
  rename,
  restart,
  stats,
  top,
  unpause,
  update,
  wait,
  import: importCommand,
  export: exportCommand,
  save,
  load,
  push,
  commit,
  cp,
  create,
  diff,
  exec,
  history,
  images,
  info,
  inspect,
  kill,
  login,
  logout,
  logs,
  port,
  ps,
  pull,
  rm,
  rmi,
  run,
  search,
  start,
  stop,
  tag,
  version,
});

export const MANAGEMENT: ReadonlyMap<string, Management> = tableOf({
  buildx: {
    summary: 'Docker Buildx',
    commands: tableOf({ imagetools }),
    hidden: [],
    later: words('bake build create dial-stdio du history inspect ls prune rm stop use version'),
  },
  manifest: {
    summary: 'Manage Docker image manifests and manifest lists',
    commands: tableOf({ inspect: manifestInspect }),
    hidden: [],
    later: words('annotate create push rm'),
  },
  container: {
    summary: 'Manage containers',
    commands: tableOf({
      attach,
      pause,
      prune: containerPrune,
      rename,
      restart,
      stats,
      top,
      unpause,
      update,
      wait,
      export: exportCommand,
      commit,
      cp,
      create,
      diff,
      exec,
      inspect: containerInspect,
      kill,
      list: ps,
      logs,
      ls: ps,
      port,
      ps,
      remove: rm,
      rm,
      run,
      start,
      stop,
    }),
    hidden: ['list', 'ps', 'remove'],
    later: [],
  },
  image: {
    summary: 'Manage images',
    commands: tableOf({
      import: importCommand,
      save,
      load,
      history,
      push,
      inspect: imageInspect,
      list: images,
      ls: images,
      prune: imagePrune,
      pull,
      remove: rmi,
      rm: rmi,
      tag,
    }),
    hidden: ['list', 'remove'],
    later: words('build'),
  },
  network: {
    summary: 'Manage networks',
    commands: tableOf({
      connect: networkConnect,
      create: networkCreate,
      disconnect: networkDisconnect,
      inspect: networkInspect,
      list: networkLs,
      ls: networkLs,
      prune: networkPrune,
      remove: networkRm,
      rm: networkRm,
    }),
    hidden: ['list', 'remove'],
    later: [],
  },
  scout: {
    summary: 'Look at what is attested of images',
    commands: tableOf({ attestation: scoutAttestation, sbom: scoutSbom }),
    hidden: [],
    later: words('cache compare cves quickview recommendations repo'),
  },
  system: {
    summary: 'Manage Docker',
    commands: tableOf({ df: systemDf, events, info, prune: systemPrune }),
    hidden: [],
    later: words('dial-stdio'),
  },
  volume: {
    summary: 'Manage volumes',
    commands: tableOf({
      create: volumeCreate,
      inspect: volumeInspect,
      list: volumeLs,
      ls: volumeLs,
      prune: volumePrune,
      remove: volumeRm,
      rm: volumeRm,
    }),
    hidden: ['list', 'remove'],
    later: ['update'],
  },
});

/** The commands of Docker 28.2 that are not here yet. */
export const LATER_COMMANDS: ReadonlySet<string> = new Set(
  words(
    'build builder checkpoint compose config context ' + 'node plugin secret service stack ' + 'swarm trust',
  ),
);

/** A Map, as a plain object would have `constructor` among its names. */
function tableOf<T>(entries: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(entries));
}

function words(text: string): string[] {
  return text.split(' ');
}

export type Found =
  | { readonly name: string; readonly group: Management; readonly help: boolean }
  | {
      readonly name: string;
      readonly group?: undefined;
      readonly command: Command;
      readonly rest: readonly string[];
    };

/** The command that the words name, and what follows its name. NotYetError, UsageError in Docker's words. */
export function findCommand(argv: readonly string[]): Found {
  const [first = '', second] = argv;
  const group = MANAGEMENT.get(first);
  if (group === undefined) {
    const command = COMMANDS.get(first);
    if (command !== undefined) return { name: `docker ${first}`, command, rest: argv.slice(1) };
    if (LATER_COMMANDS.has(first)) throw notYet(first);
    throw new UsageError(`docker: unknown command: docker ${printableName(first)}`, { exitCode: 1 });
  }
  const name = `docker ${first}`;
  if (second === undefined || second === '--help' || second === '-h') {
    return { name, group, help: second !== undefined };
  }
  const command = group.commands.get(second);
  if (command !== undefined) return { name: `${name} ${second}`, command, rest: argv.slice(2) };
  if (group.later.includes(second)) throw notYet(`${first} ${second}`);
  // so the client of 28.2 has it: the word is in the definitions of two groups
  const usage = first === 'volume' || first === 'manifest' ? ' COMMAND' : '';
  throw new UsageError(
    second.startsWith('-')
      ? `unknown ${second.startsWith('--') ? `flag: ${second.replace(/=.*/s, '')}` : `shorthand flag: '${second[1] ?? ''}' in ${second}`}\n\nUsage:  ${name} COMMAND\n\nRun '${name} --help' for more information`
      : `docker: unknown command: ${name} ${printableName(second)}\n\nUsage:  ${name}${usage}\n\nRun '${name} --help' for more information`,
    { exitCode: second.startsWith('-') ? 125 : 1, plain: true },
  );
}

/** A command that Docker has and Layerbox has not yet. */
export function notYet(name: string): Error {
  return new NotYetError(`'${name}' is not yet supported by Layerbox`, { command: name });
}
