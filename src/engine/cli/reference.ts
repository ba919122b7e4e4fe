/** All commands with their flags, as a page of Markdown: docs/cli.md. */

import type { Command, Flag } from './command.ts';
import { COMMANDS, LATER_COMMANDS, MANAGEMENT } from './command-table.ts';
import { usageLine } from './help.ts';
import { DOCKER_VERSION } from './version-words.ts';

/** The page; `docker`, then each group. Made from the definitions alone, so it is the same wherever it is made. */
export function commandReference(): string {
  const names = namesOfCommands();
  const top = [...COMMANDS].sort(byName);
  const sections = top.map(([name, command]) => section(`docker ${name}`, command, names, 3));
  for (const [group, { summary, commands, hidden, later }] of [...MANAGEMENT].sort(byName)) {
    const own = [...commands]
      .filter(([name, command]) => !hidden.includes(name) && !top.some(([, other]) => other === command))
      .sort(byName);
    const elsewhere = [...commands]
      .filter(([name, command]) => !hidden.includes(name) && top.some(([, other]) => other === command))
      .map(([name, command]) => `[\`${group} ${name}\`](#${anchor(topName(command) ?? '')})`)
      .sort();
    sections.push(
      [
        `## docker ${group}\n\n${summary}.\n`,
        ...(elsewhere.length > 0 ? [`As above: ${elsewhere.join(', ')}.\n`] : []),
        ...notYet(later),
        ...own.map(([name, command]) => section(`docker ${group} ${name}`, command, names, 3)),
      ].join('\n'),
    );
  }
  return `${HEAD}\n## Commands\n\n${[...notYet([...LATER_COMMANDS]), ...sections].join('\n')}`;
}

const HEAD = `# The docker command

Every command that Layerbox has, with its flags, in the words of docker ${DOCKER_VERSION}. The same code answers in the host's
shell, in pipes and scripts, and through \`sandbox.docker([...])\`. This page is made from the definitions of the commands:
\`npm run docs:cli\` makes it again.

What is not supported is refused by name. Exit codes are Docker's: 125 when \`docker run\` itself fails or a flag is
unknown, 126 and 127 when the program cannot be started or found, 128 and its number when a signal ended it, 64 for an
\`inspect --format\` that is no template, 1 elsewhere.

## Where it differs from Docker

- \`docker images\` has the table of Docker 29: a line per name, what is stored (DISK USAGE, compressed and unpacked), what
  would travel (CONTENT SIZE), and \`U\` for what a container is of. It has no colours, and
  the ID is the image ID, not the digest of the index. \`--format table\`, \`--digests\`, \`--no-trunc\` and \`-q\` give the classic
  one. As in Docker 29, images without a name are hidden in both unless \`-a\` or \`--filter dangling=true\` asks for them.
- \`docker search\` looks through what the mirrors list: names in bundled layouts, catalogs of registries. There are no stars.
- \`docker scout attestation list\` and \`docker scout sbom\` read what is attached in the registry; they make nothing up.
- What a registry refuses is told with its host, as in \`manifest unknown (registry.example.org)\`: a mirror may have been asked. A
  registry that wants an account is told of in a sentence of our own, with \`docker login\`; where it denies, Docker's words stand
  (\`pull access denied for NAME, repository does not exist or may require 'docker login'\`). Where none answered, the
  message is about CORS, which Docker does not have to do with.
- Networks are bridges of IPv4: no other driver, no IPv6, no SCTP, no \`--link\`. Published ports are served by \`docker-proxy\` at
  the host's addresses; no traffic leaves the tab, so a name that no network knows does not exist (NXDOMAIN). The DNS server of a
  container listens at 127.0.0.11:53 itself: a program that wants port 53 of all addresses there has to name its own.
- \`--memory-swap\` is checked and shown, and limits nothing: the machine's kernel has no swap.
- \`docker network inspect -v\` adds nothing: what is verbose there are the tasks of a swarm.
- Before a command \`docker\` takes \`--version\` and \`--help\` alone. \`--debug\`, \`--host\`, \`--context\` and the like, which are about a
  program and a daemon apart from each other, are refused by name.
- \`docker stats\` counts no BLOCK I/O: the machine has no block device, files are in the browser's storage, so it is \`0B / 0B\`.
- Volumes with options are memory (\`type=tmpfs\`) or a folder of the host (\`o=bind\`); file systems of a network or a device are
  refused. In memory they last as long as a container that runs has them, and \`docker cp\` does not reach into them.
- In templates, a struct that Docker's client holds by pointer prints its fields, not its address, and numbers that the
  client's types do not know are numbers, not text.
- What images and files say is printed without control characters, and without those that turn the order of a line around.
  In JSON they are escapes, so that nothing is lost.
- \`docker info\` and \`docker version\` tell of Layerbox, in a layout of their own; the fields that Docker has too have Docker's
  names. A template with a field that is not there is refused in other words than the client's.
- In \`docker inspect\` times have all nine digits of the nanoseconds. \`Driver\`, \`LogConfig.Type\` and \`Runtime\` are \`layerbox\`; there
  are no files of the host behind \`LogPath\`, \`HostsPath\` and the like, and no path is masked.
- Labels of volumes and networks are listed in the order in which they are kept; the client has them in no order.

The outputs of lists, inspections, prunes, pulls and refusals, with their exit codes, in a pipe and on a terminal, are compared
with those that docker 28.2.2 printed for the same state (\`tests/golden\`; each difference has its reason there). It was the
client alone: a stand-in answered for the daemon with this state, and what a daemon says of what cannot be done has its words
from moby's sources (\`tests/golden/daemon-words.ts\`), not from a daemon that ran. Not compared: the layouts of \`info\` and
\`version\`; what \`push\`, \`commit\`, \`save\`, \`load\`, \`import\`, \`export\`, \`manifest inspect\` and \`login\` do when they are not
refused; \`buildx\` and \`scout\`, which that client does not have; and what streams without an end.

Referrers are tested against CNCF Distribution, where they are lists under tags. The registry's own list of them, which Distribution
lacks, is tested against a stand-in in front of it (\`tests/support/referrers-api.ts\`).
`;

function section(
  title: string,
  command: Command,
  names: ReadonlyMap<Command, readonly string[]>,
  level: number,
): string {
  const others = (names.get(command) ?? []).filter((name) => name !== title);
  const lines = [
    `${'#'.repeat(level)} ${title}`,
    '',
    sentence(command.summary),
    '',
    '```',
    usageLine(title, command),
    '```',
    '',
  ];
  if (others.length > 0) lines.push(`Also \`${others.join('`, `')}\`.`, '');
  if (command.flags.length > 0) lines.push(...flagTable(command.flags), '');
  lines.push(...notYet((command.later ?? []).map((flag) => `--${flag.replace(/[/=].*$/, '')}`)));
  return lines.join('\n');
}

function flagTable(flags: readonly Flag[]): string[] {
  const sorted = flags.filter((flag) => flag.hidden !== true).sort((a, b) => (a.long < b.long ? -1 : 1));
  return ['| Flag | Value | What it does |', '| --- | --- | --- |', ...sorted.map(flagRow)];
}

function flagRow(flag: Flag): string {
  const { long, short, type, typeName, help, default: value } = flag;
  const names = short === undefined ? `\`--${long}\`` : `\`-${short}\`, \`--${long}\``;
  const shown = typeName ?? (type === 'bool' ? '' : type);
  const standard = value === undefined || value === false || value === '' ? '' : ` (default \`${value}\`)`;
  // of a help in several lines the first says what it is
  const words = help.split('\n').join(' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
  return `| ${names} | ${shown} | ${words}${standard} |`;
}

function notYet(names: readonly string[]): string[] {
  const listed = names.filter((name) => name !== '');
  return listed.length === 0 ? [] : [`Not yet: \`${[...listed].sort().join('`, `')}\`.`, ''];
}

/** The full names under which each command can be called, those that the help leaves out not among them. */
function namesOfCommands(): ReadonlyMap<Command, readonly string[]> {
  const names = new Map<Command, string[]>();
  const add = (command: Command, name: string) => names.set(command, [...(names.get(command) ?? []), name]);
  for (const [name, command] of COMMANDS) add(command, `docker ${name}`);
  for (const [group, { commands, hidden }] of MANAGEMENT) {
    for (const [name, command] of commands)
      if (!hidden.includes(name)) add(command, `docker ${group} ${name}`);
  }
  return names;
}

function topName(command: Command): string | undefined {
  const entry = [...COMMANDS].find(([, other]) => other === command);
  return entry === undefined ? undefined : `docker ${entry[0]}`;
}

function anchor(title: string): string {
  return title.replaceAll(' ', '-');
}

function sentence(summary: string): string {
  const text = summary.split('\n')[0] ?? '';
  return text.endsWith('.') ? text : `${text}.`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
