/** The words of docker 28.2.2 for what is wrong with a command line, recorded from its client. */

import { describe, expect, it } from 'vitest';
import { DOCKER_VERSION, LAYERBOX_VERSION } from '../../../src/engine/cli/version-words.ts';
import { openSandbox } from '../container/sandbox.ts';

const RUN =
  "Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'docker run --help' for more information\n";
const PS = "Usage:  docker ps [OPTIONS]\n\nRun 'docker ps --help' for more information\n";

interface Row {
  readonly line: string;
  readonly code: number;
  readonly err: string;
}

const rows: readonly Row[] = [
  { line: 'run --foo', code: 125, err: `unknown flag: --foo\n\n${RUN}` },
  { line: 'run -xZ', code: 125, err: `unknown shorthand flag: 'x' in -xZ\n\n${RUN}` },
  {
    line: 'run --rm=x busybox',
    code: 125,
    err: `invalid argument "x" for "--rm" flag: strconv.ParseBool: parsing "x": invalid syntax\n\n${RUN}`,
  },
  { line: 'run --name', code: 125, err: `flag needs an argument: --name\n\n${RUN}` },
  { line: 'run -e', code: 125, err: `flag needs an argument: 'e' in -e\n\n${RUN}` },
  { line: 'run -h', code: 125, err: `flag needs an argument: 'h' in -h\n\n${RUN}` },
  {
    line: 'run -e =x busybox',
    code: 125,
    err: `invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x\n\n${RUN}`,
  },
  {
    line: 'run',
    code: 1,
    err: "docker: 'docker run' requires at least 1 argument\n\nUsage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nSee 'docker run --help' for more information\n",
  },
  {
    line: 'run INVALID',
    code: 125,
    err: "docker: invalid reference format: repository name (library/INVALID) must be lowercase\n\nRun 'docker run --help' for more information\n",
  },
  {
    line: 'run --env-file /nonexist a b',
    code: 125,
    err: "docker: open /nonexist: no such file or directory\n\nRun 'docker run --help' for more information\n",
  },
  {
    line: 'run --pull foo busybox',
    code: 125,
    err: 'docker: invalid pull option: \'foo\': must be one of "always", "missing" or "never"\n\nRun \'docker run --help\' for more information\n',
  },
  { line: 'exec --env-file /nonexist a b', code: 1, err: 'open /nonexist: no such file or directory\n' },
  { line: 'ps --foo', code: 125, err: `unknown flag: --foo\n\n${PS}` },
  { line: 'ps -aqz', code: 125, err: `unknown shorthand flag: 'z' in -z\n\n${PS}` },
  { line: 'ps --al', code: 125, err: `unknown flag: --al\n\n${PS}` },
  { line: 'ps --=x', code: 125, err: `bad flag syntax: --=x\n\n${PS}` },
  { line: 'ps ---x', code: 125, err: `bad flag syntax: ---x\n\n${PS}` },
  {
    line: 'ps -a=x',
    code: 125,
    err: `invalid argument "x" for "-a, --all" flag: strconv.ParseBool: parsing "x": invalid syntax\n\n${PS}`,
  },
  {
    line: 'ps -n x',
    code: 125,
    err: `invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax\n\n${PS}`,
  },
  {
    line: 'ps --filter x',
    code: 125,
    err: `invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)\n\n${PS}`,
  },
  { line: 'ps --format {{.Foo', code: 1, err: 'failed to parse template: template: :1: unclosed action\n' },
  { line: 'ps extra', code: 1, err: `docker: 'docker ps' accepts no arguments\n\n${PS}` },
  {
    line: 'container ls --foo',
    code: 125,
    err: "unknown flag: --foo\n\nUsage:  docker container ls [OPTIONS]\n\nRun 'docker container ls --help' for more information\n",
  },
  {
    line: 'container foo',
    code: 1,
    err: "docker: unknown command: docker container foo\n\nUsage:  docker container\n\nRun 'docker container --help' for more information\n",
  },
  {
    line: 'stop -t',
    code: 125,
    err: "flag needs an argument: 't' in -t\n\nUsage:  docker stop [OPTIONS] CONTAINER [CONTAINER...]\n\nRun 'docker stop --help' for more information\n",
  },
  {
    line: 'exec foo',
    code: 1,
    err: "docker: 'docker exec' requires at least 2 arguments\n\nUsage:  docker exec [OPTIONS] CONTAINER COMMAND [ARG...]\n\nSee 'docker exec --help' for more information\n",
  },
  {
    line: 'logs a b',
    code: 1,
    err: "docker: 'docker logs' requires 1 argument\n\nUsage:  docker logs [OPTIONS] CONTAINER\n\nRun 'docker logs --help' for more information\n",
  },
  {
    line: 'diff',
    code: 1,
    err: "docker: 'docker diff' requires 1 argument\n\nUsage:  docker diff CONTAINER\n\nRun 'docker diff --help' for more information\n",
  },
  // docker 28.2.2 has a slip here, "SRun 'docker images --help'", which is not followed
  {
    line: 'images a b',
    code: 1,
    err: "docker: 'docker images' requires at most 1 argument\n\nUsage:  docker images [OPTIONS] [REPOSITORY[:TAG]]\n\nRun 'docker images --help' for more information\n",
  },
  { line: 'start -a a b', code: 1, err: 'you cannot start and attach multiple containers at once\n' },
  {
    line: 'inspect --type foo x',
    code: 1,
    err: 'unknown type: "foo": must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"\n',
  },
  {
    line: 'pull INVALID',
    code: 1,
    err: 'invalid reference format: repository name (library/INVALID) must be lowercase\n',
  },
  { line: 'pull busybox:', code: 1, err: 'invalid reference format\n' },
  {
    line: 'foo',
    code: 1,
    err: "docker: unknown command: docker foo\n\nRun 'docker --help' for more information\n",
  },
  {
    line: 'constructor',
    code: 1,
    err: "docker: unknown command: docker constructor\n\nRun 'docker --help' for more information\n",
  },
  {
    line: '--foo ps',
    code: 125,
    err: "unknown flag: --foo\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information\n",
  },
  { line: 'help foo', code: 1, err: 'unknown help topic: foo\n' },
  { line: 'help ps extra', code: 1, err: 'unknown help topic: extra\n' },
  // what Docker has and Layerbox has not yet
  ...['-D ps', '--debug ps', '-D'].map((line) => ({
    line,
    code: 1,
    err: 'docker: the flag --debug is not yet supported by Layerbox\n',
  })),
  { line: 'build .', code: 1, err: "docker: 'build' is not yet supported by Layerbox\n" },
  { line: 'image build .', code: 1, err: "docker: 'image build' is not yet supported by Layerbox\n" },
  { line: 'trust sign', code: 1, err: "docker: 'trust' is not yet supported by Layerbox\n" },
  {
    line: 'rmi --no-prune x',
    code: 1,
    err: 'docker: the flag --no-prune is not yet supported by Layerbox\n',
  },
];

describe('a command line that is wrong', () => {
  it.each(rows)('docker $line', async ({ line, code, err }) => {
    const { docker } = await openSandbox();
    const result = await docker(line);
    expect(result).toEqual({ code, out: '', err });
  });
});

describe('docker', () => {
  it.each(['-v', '--version', '-v ps', '--version --version'])(
    '%s tells which Docker it is like',
    async (line) => {
      const { docker } = await openSandbox();
      expect(await docker(line)).toEqual({
        code: 0,
        out: `Docker version ${DOCKER_VERSION}, build layerbox-${LAYERBOX_VERSION}\n`,
        err: '',
      });
    },
  );
});

describe('words that are printed', () => {
  it('control nothing', async () => {
    const { docker } = await openSandbox();
    for (const argv of [
      ['\x1b[2J'],
      ['help', '\x1b[2J'],
      ['rm', '\x1b[2J'],
      ['inspect', '\x1b[2J'],
      ['ps', '--filter', '\x1b=1'],
    ]) {
      const { out, err } = await docker(argv);
      expect(out + err).not.toContain('\x1b');
    }
  });
});
