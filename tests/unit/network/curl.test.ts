/** `curl` of the host, against answers written by hand: its options by their effect, its words and exit codes. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostSpec, run, testMachine } from '../../support/machine.ts';

const machine = testMachine();

beforeAll(() => machine.start(), 120_000);
afterAll(() => machine.close(), 60_000);

const sh = (line: string) => run(machine, hostSpec(line, { cwd: '/tmp' }));

const ANSWER = 'HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 3\\r\\n\\r\\nabc and more';

/** What curl makes of one answer at port 9000, and what it asked. */
async function ask(flags: string, answer = ANSWER) {
  // until the server listens, curl says 7
  const line = `printf '${answer}' | nc -l -p 9000 > asked & server=$!
while curl ${flags} > out 2> err; code=$?; [ $code = 7 ]; do :; done
wait $server; cat out; echo "<$code>"; cat err; echo '<asked>'; tr -d '\\r' < asked`;
  const { out } = await sh(line);
  const [said = '', asked = ''] = out.split('<asked>\n');
  return { said, asked };
}

describe('curl', () => {
  it('asks as HTTP/1.1 has it, and shows the body', async () => {
    expect(await ask('localhost:9000')).toEqual({
      said: 'abc<0>\n',
      asked: 'GET / HTTP/1.1\nHost: localhost:9000\nUser-Agent: curl/0.1 (Layerbox)\nAccept: */*\n\n',
    });
  });

  const answers: readonly (readonly [string, string, string])[] = [
    ['-s 127.0.0.1:9000', 'HTTP/1.0 200 OK\\r\\n\\r\\nto the end', 'to the end<0>\n'],
    [
      '-s localhost:9000',
      'HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n3\\r\\nabc\\r\\n2;x=y\\r\\nde\\r\\n0\\r\\nA: b\\r\\n\\r\\n',
      'abcde<0>\n',
    ],
    [
      '-s localhost:9000',
      'HTTP/1.1 100 Continue\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\n\\r\\nx',
      'x<0>\n',
    ],
    [
      '-si localhost:9000',
      'HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\n\\r\\nx',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx<0>\n',
    ],
    [
      '-I localhost:9000',
      'HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<0>\n',
    ],
    ['localhost:9000', 'HTTP/1.1 404 Not Found\\r\\nContent-Length: 1\\r\\n\\r\\nx', 'x<0>\n'],
    [
      '-f localhost:9000',
      'HTTP/1.1 404 Not Found\\r\\nContent-Length: 1\\r\\n\\r\\nx',
      '<22>\ncurl: (22) The requested URL returned error: 404\n',
    ],
    ['-sf localhost:9000', 'HTTP/1.1 500 No\\r\\nContent-Length: 1\\r\\n\\r\\nx', '<22>\n'],
    [
      '-sSf localhost:9000',
      'HTTP/1.1 500 No\\r\\nContent-Length: 1\\r\\n\\r\\nx',
      '<22>\ncurl: (22) The requested URL returned error: 500\n',
    ],
    [
      'localhost:9000',
      'HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nabcd',
      'abcd<18>\ncurl: (18) transfer closed with 5 bytes remaining to read\n',
    ],
    ['localhost:9000', '', '<52>\ncurl: (52) Empty reply from server\n'],
    ['-o file localhost:9000 && cat file', ANSWER, 'abc<0>\n'],
    ['-sO localhost:9000/a/name?q && cat name', ANSWER, 'abc<0>\n'],
    [
      "-s -o /dev/null -w '%{http_code} %{size_download} %{content_type}' localhost:9000",
      ANSWER,
      '200 3 text/plain<0>\n',
    ],
  ];
  it.each(answers)('%s of %j', async (flags, answer, want) => {
    expect((await ask(flags, answer)).said).toBe(want);
  });

  const requests: readonly (readonly [string, RegExp])[] = [
    ['localhost:9000/a/../b/./c?d=../e#f', /^GET \/b\/c\?d=\.\.\/e HTTP/],
    ['-X DELETE localhost:9000', /^DELETE \/ /],
    ['-I localhost:9000', /^HEAD \/ /],
    ["-H 'X-One: 1' -H 'Accept:' localhost:9000", /^(?![\s\S]*Accept)[\s\S]*\nX-One: 1\n/],
    ['-A me localhost:9000', /\nUser-Agent: me\n/],
    ['-u a:b localhost:9000', /\nAuthorization: Basic YTpi\n/],
    ['http://a:b@localhost:9000', /\nAuthorization: Basic YTpi\n/],
    [
      '-d a=1 --data-raw @b localhost:9000',
      /^POST \/ [\s\S]*\nContent-Length: 6\nContent-Type: application\/x-www-form-urlencoded\n\na=1&@b$/,
    ],
    ['-d @/etc/hostname localhost:9000', /\nContent-Length: 4\n[\s\S]*\n\nhost$/],
    ['--data-binary @/etc/hostname localhost:9000', /\nContent-Length: 5\n[\s\S]*\n\nhost\n$/],
  ];
  it.each(requests)('%s asks so', async (flags, want) => {
    expect((await ask(flags)).asked).toMatch(want);
  });

  it('-L follows, with -w saying where to', async () => {
    // the server of busybox sends who asks for a folder to its name with a slash
    await sh('mkdir -p www/next && echo abc > www/next/index.html && httpd -p 9002 -h www');
    const get = async (flags: string) =>
      (
        await sh(
          `curl -s ${flags} -o got -w '%{num_redirects} %{url_effective}' localhost:9002/next; cat got`,
        )
      ).out;
    expect(await get('-L')).toBe('1 http://localhost:9002/next/abc\n');
    expect(await get('')).toMatch(/^0 http:\/\/localhost:9002\/next(?!\/)/);
  });

  it('-m gives up', async () => {
    const { out } = await sh(
      'sleep 5 | nc -l -p 9003 > /dev/null & while curl -m 0.3 localhost:9003 > said 2>&1; code=$?; [ $code = 7 ]; do :; done; cat said; echo $code',
    );
    expect(out).toMatch(/^curl: \(28\) Operation timed out after \d+ milliseconds\n28\n$/);
  });

  const failures: readonly (readonly [string, number, RegExp])[] = [
    [
      'localhost:1',
      7,
      /^curl: \(7\) Failed to connect to localhost port 1 after \d+ ms: Couldn't connect to server\n$/,
    ],
    ['nosuch.test', 6, /^curl: \(6\) Could not resolve host: nosuch\.test\n$/],
    ['https://localhost', 1, /^curl: \(1\) Protocol "https" not supported/],
    ['http://', 3, /^curl: \(3\) URL using bad\/illegal format or missing URL\n$/],
    ["'localhost/{a,b}'", 3, /^curl: \(3\) braces and brackets in a URL are not supported/],
    ['-O localhost/', 23, /^curl: \(23\) Remote file name has no length!\n$/],
    [
      '--cacert x localhost',
      2,
      /^curl: option --cacert: is unknown\ncurl: try 'curl --help' for more information\n$/,
    ],
    ['-sZ localhost', 2, /^curl: option -Z: is unknown\n/],
    ['-o', 2, /^curl: option -o: requires parameter\n/],
    ['', 2, /^curl: no URL specified!\n/],
  ];
  it.each(failures)('curl %s ends with %i', async (flags, code, want) => {
    const result = await sh(`curl ${flags}`);
    expect(result).toMatchObject({ code, err: expect.stringMatching(want) });
  });
});
