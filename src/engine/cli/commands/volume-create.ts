import { UsageError } from '../../errors.ts';
import { checkVolumeOptions } from '../../volume/volume-options.ts';
import { checkVolumeDriver } from '../../volume/volumes.ts';
import type { Command } from '../command.ts';

export const volumeCreate: Command = {
  usage: '[OPTIONS] [VOLUME]',
  summary: 'Create a volume',
  aliases: [],
  flags: [
    {
      long: 'driver',
      short: 'd',
      type: 'string',
      default: 'local',
      help: 'Specify volume driver name',
    },
    { long: 'label', type: 'list', help: 'Set metadata for a volume' },
    // Docker's own, from before the name was a word of the command
    { long: 'name', type: 'string', help: 'Specify volume name', hidden: true },
    {
      long: 'opt',
      short: 'o',
      type: 'list',
      typeName: 'map',
      help: 'Set driver specific options (default map[])',
    },
  ],
  later: (
    'availability= group= limit-bytes= required-bytes= scope= secret= sharing= topology-preferred= ' +
    'topology-required= type='
  ).split(' '),
  wordCount: { min: 0, max: 1 },
  run: async ({ flags, words: [word], host, print }) => {
    if (flags.string('name') !== '' && word !== undefined) {
      throw new UsageError(
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
        { exitCode: 1, plain: true },
      );
    }
    const name = word ?? flags.string('name');
    checkVolumeDriver(flags.string('driver'), name);
    const options = pairs(flags.list('opt'));
    checkVolumeOptions(name, options);
    const { id } = await host.volumes.create({
      ...(name !== '' && { name }),
      labels: pairs(flags.list('label')),
      options,
    });
    await print.line(id);
    return 0;
  },
};

/** `name=value`, or a name alone. */
function pairs(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}
