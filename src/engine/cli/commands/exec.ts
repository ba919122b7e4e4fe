import { Attachment } from '../../container/attach.ts';
import { OutputFan } from '../../container/output-fan.ts';
import { exitAndOutput } from '../../container/running.ts';
import type { Command } from '../command.ts';
import { DETACH_KEYS_FLAG, detachKeysOf } from '../detach-flag.ts';
import { ENVIRONMENT_FLAGS, environmentOf } from '../environment.ts';
import { refusal } from '../refusal.ts';

/** Of a terminal that nobody looks at. */
const DETACHED_SIZE = { rows: 24, columns: 80 };

export const exec: Command = {
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  summary: 'Execute a command in a running container',
  aliases: ['docker container exec', 'docker exec'],
  flags: [
    { long: 'detach', short: 'd', type: 'bool', help: 'Detached mode: run command in the background' },
    DETACH_KEYS_FLAG,
    ...ENVIRONMENT_FLAGS,
    { long: 'interactive', short: 'i', type: 'bool', help: 'Keep STDIN open even if not attached' },
    { long: 'privileged', type: 'bool', help: 'Give extended privileges to the command' },
    { long: 'tty', short: 't', type: 'bool', help: 'Allocate a pseudo-TTY' },
    {
      long: 'user',
      short: 'u',
      type: 'string',
      help: 'Username or UID (format: "<name|uid>[:<group|gid>]")',
    },
    { long: 'workdir', short: 'w', type: 'string', help: 'Working directory inside the container' },
  ],
  interspersed: false,
  wordCount: { min: 2 },
  run: async ({ words, flags, host, stdio }) => {
    const [word = '', ...argv] = words;
    const detached = flags.bool('detach');
    const tty = flags.bool('tty');
    const stdin = flags.bool('interactive') && !detached;
    const env = await environmentOf(flags, host, stdio);
    if (tty && stdin && !stdio.terminal.stdin) {
      throw refusal('the input device is not a TTY');
    }
    const { id } = host.containers.resolve(word);
    const detachKeys = detachKeysOf(flags);
    const attachment = detached
      ? undefined
      : new Attachment(stdio, { tty, stdin, proxySignals: false, detachKeys });
    const process = await host.containers.exec(id, {
      argv,
      env,
      ...(flags.given('workdir') && { workingDir: flags.string('workdir') }),
      ...(flags.given('user') && { user: flags.string('user') }),
      privileged: flags.bool('privileged'),
      ...(tty && { tty: detached ? DETACHED_SIZE : stdio.size() }),
      ...(attachment !== undefined && { left: attachment.left }),
    });
    if (!stdin && !tty) process.closeInput();
    const fan = new OutputFan();
    // what nobody reads would stop the program as soon as its pipe is full
    const output = () => fan.pump(process, () => undefined);
    if (attachment === undefined) {
      output().catch(() => undefined); // its end is nobody's business: the container tells of a machine that failed
      return 0;
    }
    fan.add(attachment.sink);
    attachment.connect(process);
    const how = await Promise.race([exitAndOutput(process, output()), attachment.left]);
    if (how === 'detached') return 0;
    if (how === 'gone') return 130;
    attachment.end();
    return how.code;
  },
};
