/** What comes from this side of the network: a container's files and programs, and what a person types into a page that must not hang. */

import { parseTemplate } from '../../src/engine/cli/template.ts';
import { readResponse } from '../../src/engine/container/port-response.ts';
import { resolveUser } from '../../src/engine/container/user.ts';
import { decodeName } from '../../src/engine/names.ts';
import { encodeAnswer, parseQuery } from '../../src/engine/network/dns-message.ts';
import type { FuzzedParsers } from './fuzzed-parser.ts';

export const localParsers: FuzzedParsers = {
  template: {
    parse: (input) => parseTemplate(decodeName(input)).render({ a: { b: [1, 'x', null] }, c: 'y' }).length,
    most: () => 17 * 1024 * 1024,
    words: [
      ...['{{', '}}', '-', 'range', 'end', 'else', 'if', 'with', 'define', 'template', 'printf', '%9999d'],
      ...['(', ')', '|', '$'],
    ],
  },
  // /etc/passwd and /etc/group of an image, with an empty line between, are looked into for a user
  'user files': {
    parse: (input) => {
      const [passwd = '', group = ''] = decodeName(input).split('\n\n');
      const { groups, home } = resolveUser('app', passwd, group);
      resolveUser('1000:staff', passwd, `${group}\nstaff:x:50:`);
      return groups.length + home.length;
    },
    words: [':', '\n', '\n\n', ',', 'app', 'root', 'x', '99999999999', '-1'],
  },
  // what a program in a container asks the resolver
  'name query': {
    parse: (input) => {
      const query = parseQuery(input);
      if (typeof query !== 'object') return 0;
      const answer = { code: 0, records: [{ type: 1, address: 0x7f000001 } as const] };
      return encodeAnswer(query, answer, true).length + encodeAnswer(query, answer, false).length;
    },
    most: () => 2 * 4096,
    takesAnything: true,
  },
  // what a program in a container answers to the page
  'port answer': {
    parse: async (input) => {
      async function* pieces() {
        for (let at = 0; at < input.length; at += 99) yield input.slice(at, at + 99);
      }
      return (await readResponse(pieces())).body.length;
    },
    words: [
      '\r\n',
      '\n\n',
      ':',
      'HTTP/1.1 ',
      'Transfer-Encoding: chunked',
      'Content-Length: ',
      '0\r\n',
      'ffffffff',
    ],
  },
};
