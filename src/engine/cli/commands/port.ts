import { printableName } from '../../names.ts';
import type { Command } from '../command.ts';
import { containerDocument, portsOf } from '../container-document.ts';
import { quoted } from '../go-text.ts';
import { refusal } from '../refusal.ts';

export const port: Command = {
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  summary: 'List port mappings or a specific mapping for the container',
  aliases: ['docker container port', 'docker port'],
  flags: [],
  wordCount: { min: 1, max: 2 },
  run: async ({ words: [container = '', wanted], host, print }) => {
    const record = host.containers.resolve(container);
    const published = portsOf(await containerDocument(host, record, false)).flatMap(
      ({ host: at, containerPort, protocol }) =>
        at === undefined ? [] : [{ inside: `${containerPort}/${protocol}`, outside: `${at.ip}:${at.port}` }],
    );
    if (wanted === undefined) {
      const lines = published.map(({ inside, outside }) => `${inside} -> ${outside}\n`);
      await print.text(lines.sort(byNumber).join(''));
      return 0;
    }
    const name = portName(wanted);
    const found = published.filter(({ inside }) => inside === name);
    if (found.length === 0) {
      throw refusal(
        `Error: No public port '${printableName(wanted)}' published for ${printableName(container)}`,
      );
    }
    await print.text(found.map(({ outside }) => `${outside}\n`).join(''));
    return 0;
  },
};

function portName(text: string): string {
  const [number = '', protocol = 'tcp'] = text.split('/');
  const isNumber = /^\d+$/.test(number);
  if (!isNumber || Number(number) > 65535) {
    const why = isNumber ? 'value out of range' : 'invalid syntax';
    throw refusal(
      `Error: invalid port (${printableName(number)}): strconv.ParseUint: parsing ${quoted(number)}: ${why}`,
    );
  }
  return `${Number(number)}/${protocol}`;
}

/** As Docker's client sorts: numbers in the text count as numbers. */
function byNumber(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1);
}
