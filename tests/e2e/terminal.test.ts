import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { docker, dockerOk, openSandbox, sh, shows, type } from '../support/sandbox-page.ts';

let chromium: Chromium;
let page: Page;

beforeAll(async () => {
  chromium = await startChromium();
  page = await openSandbox(chromium, inject('site'));
  await shows(page, /host:~[$#]$/m);
});
afterAll(() => chromium.close());

const clear = () => type(page, 'clear');
/** Ctrl-C on a line half typed: a new prompt. */
async function abandonLine(): Promise<void> {
  await page.keyboard.press('Control+C');
  await shows(page, prompt);
}
const prompt = /host:~[$#]$/;

describe('the first minute', () => {
  it('types what the starting line offers, and runs it when the reader says so', async () => {
    await page.getByRole('button', { name: /docker run -it busybox sh/ }).click();
    await shows(page, /[$#] docker run -it busybox sh$/);
    await page.keyboard.press('Enter');
    const text = await shows(page, /\/ #$/m);
    expect(text).toMatch(/Unable to find image 'busybox:latest' locally/);
    expect(text).toMatch(/Status: Downloaded newer image for busybox:latest/);
  });

  it("runs the image's own programs, alone with its own pids, names and network", async () => {
    await type(page, 'echo pid=$$; hostname; ps | grep -c "^ *1 "; echo $(ls /sys/class/net)');
    const text = await shows(page, /pid=1\n[0-9a-f]{12}\n1\neth0 lo\n/);
    expect(text).not.toContain('layerbox/agent');
    await type(page, 'exit 7');
    await shows(page, prompt);
    await type(page, 'echo code=$?');
    await shows(page, /code=7/);
  });
});

describe('the host shell', () => {
  it('has docker as a program: pipes, subshells and scripts', async () => {
    await clear();
    await type(page, "docker images | grep -c '^busybox'");
    await shows(page, /\n1\n/);
    await type(page, "sh -c 'docker ps -q | wc -l'");
    await shows(page, /wc -l'\n0\n/);
    await type(page, 'printf "docker ps -aq | wc -l\\ndocker images -q busybox\\n" > list.sh; sh list.sh');
    await shows(page, /\n1\n[0-9a-f]{12}\n/);
  });

  it('stops a command with Ctrl-C and suspends one with Ctrl-Z', async () => {
    await clear();
    // the terminal drops what was typed ahead of a Ctrl-C: wait for the program
    await type(page, 'echo st""arted; sleep 1000');
    await shows(page, /\nstarted/);
    await page.keyboard.press('Control+C');
    await shows(page, /\^C\n.*[$#]$/);
    await type(page, 'echo stopped=$?');
    await shows(page, /stopped=130/);
    await type(page, 'clear; echo ag""ain; sleep 500');
    await shows(page, /again$/);
    await page.keyboard.press('Control+Z');
    await shows(page, /Stopped .*sleep 500/);
    await type(page, 'kill %1; jobs; wait; echo gone');
    await shows(page, /\ngone\n/);
  });

  it('completes files, docker subcommands, images and containers', async () => {
    await clear();
    await page.keyboard.type('docker ima');
    await page.keyboard.press('Tab');
    await shows(page, /docker images$/);
    await abandonLine();
    await page.keyboard.type('docker run --rm busyb');
    await page.keyboard.press('Tab');
    await shows(page, /docker run --rm busybox:latest$/);
    await abandonLine();
    await page.keyboard.type('cat lis');
    await page.keyboard.press('Tab');
    await shows(page, /cat list\.sh$/);
    await abandonLine();
  });

  it('knows the size of its terminal and follows it', async () => {
    const columns = async () => {
      await clear();
      await type(page, 'stty size');
      return Number(/(\d+) (\d+)/.exec(await shows(page, /stty size\n\d+ \d+/))?.[2]);
    };
    const before = await columns();
    await page.setViewportSize({ width: 1000, height: 700 });
    // the page tells the guest once it has drawn itself anew
    await expect.poll(columns, { timeout: 20_000 }).toBeLessThan(before);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('keeps what docker does not know yet honest', async () => {
    expect(await sh(page, 'docker build .')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/not yet/),
    });
    expect(await sh(page, 'docker nonsense')).toMatchObject({ exitCode: 1 });
    expect(await sh(page, 'docker run busybox nonsense')).toMatchObject({
      exitCode: 127,
      stderr: expect.stringMatching(/executable file not found in \$PATH/),
    });
    expect(await sh(page, 'docker run busybox /etc/passwd')).toMatchObject({ exitCode: 126 });
    expect(await sh(page, 'docker run 127.0.0.1:1/none')).toMatchObject({ exitCode: 125 });
  });
});

describe('a Debian container, through the terminal', () => {
  it('runs bash, dpkg, perl, ps, vi and top', async () => {
    await clear();
    await type(page, `docker run -it --name deb ${inject('registry')}/test/debian`);
    await shows(page, /root@[0-9a-f]{12}:\/#$/m, 120_000);
    await type(page, 'dpkg -l | head -8');
    await shows(page, /ii\s+apt\s/);
    await type(page, 'perl -e \'print 6*7, "\\n"\'');
    await shows(page, /\n42\n/);
    await type(page, 'clear; ps -e -o pid,comm');
    await shows(page, /\n\s+1 bash\n/);
    await type(page, 'clear; sleep 300 &');
    await type(page, 'jobs');
    await shows(page, /Running\s+sleep 300/);
    await type(page, 'kill %1; wait');
    await type(page, 'vi /root/note');
    await shows(page, /~\n~\n~/);
    await page.keyboard.type('ihello from vi');
    await page.keyboard.press('Escape');
    await page.keyboard.type(':wq');
    await page.keyboard.press('Enter');
    await type(page, 'clear; cat /root/note');
    await shows(page, /^hello from vi$/m);
    await type(page, 'top');
    await shows(page, /Tasks:\s+\d+ total/);
    await page.keyboard.press('q');
    await type(page, 'clear; echo slee""ping; sleep 1000');
    await shows(page, /^sleeping$/m);
    await page.keyboard.press('Control+C');
    await shows(page, /\^C\n.*:\/#$/);
    await type(page, 'echo code=$?');
    await shows(page, /code=130/);
  });

  it('another tab runs a second container and gets into the first one', async () => {
    await page.getByRole('button', { name: /new terminal/i }).click();
    await shows(page, prompt);
    await type(page, 'docker run -it --rm --name second busybox sh');
    await shows(page, /\/ #$/m);
    await type(page, 'ps | wc -l; exit');
    await shows(page, /\n[34]\n/);
    await type(
      page,
      "clear; docker exec deb cat /root/note; docker exec -it deb bash -c 'ps -e | grep -c bash'",
    );
    await shows(page, /hello from vi\n2\n/);
  });

  it('`yes` in one tab leaves the other usable, and Ctrl-C stops it', async () => {
    await clear();
    await type(page, 'yes');
    await shows(page, /y\ny\ny\ny/);
    const started = Date.now();
    expect(await sh(page, 'echo alive')).toMatchObject({ stdout: 'alive\n' });
    expect(Date.now() - started).toBeLessThan(10_000);
    await page.keyboard.press('Control+C');
    await type(page, 'echo sto""pped');
    await shows(page, /\nstopped\n/, 10_000);
  });
});

describe('containers', () => {
  const host = inject('registry');

  it('detached: ps, logs, stop and exit codes', async () => {
    await dockerOk(
      page,
      'run',
      '-d',
      '--name',
      'loop',
      'busybox',
      'sh',
      '-c',
      'echo started; echo bad >&2; while :; do sleep 1; done',
    );
    expect(await dockerOk(page, 'ps', '--format', '{{.Names}} {{.Status}}')).toMatch(/loop Up /);
    await expect.poll(async () => dockerOk(page, 'logs', 'loop')).toContain('started');
    expect(await sh(page, 'docker logs loop 2>&1 >/dev/null')).toMatchObject({ stdout: 'bad\n' });
    await dockerOk(page, 'kill', 'loop');
    expect(await dockerOk(page, 'inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'loop')).toBe(
      'exited 137\n',
    );
    await dockerOk(page, 'rm', 'loop');
  });

  it('takes environment, user and working directory from the image and from the command', async () => {
    const image = `${host}/test/busybox`;
    await dockerOk(page, 'pull', image);
    expect(await dockerOk(page, 'run', '--rm', image, 'sh', '-c', 'echo $FLAVOUR')).toBe('plain\n');
    expect(
      await dockerOk(
        page,
        'run',
        '--rm',
        '-e',
        'FLAVOUR=hot',
        '-w',
        '/data',
        '-u',
        'learner',
        image,
        'sh',
        '-c',
        'echo $FLAVOUR; pwd; id -u; id -G',
      ),
    ).toBe('hot\n/data\n1000\n1000 50\n');
    expect(await sh(page, `echo in | docker run -i --rm ${image} cat`)).toMatchObject({ stdout: 'in\n' });
    expect(await sh(page, `docker run --rm --entrypoint /bin/false ${image}; echo $?`)).toMatchObject({
      stdout: '1\n',
    });
  });

  it('writes land in the container alone, and diff says which', async () => {
    const image = `${host}/test/busybox`;
    await dockerOk(
      page,
      'run',
      '--name',
      'writer',
      image,
      'sh',
      '-c',
      [
        'echo hi > /etc/motd',
        'echo more >> /data/kept',
        'rm /data/fifo',
        'mv /data/old /data/moved',
        'ln /data/setuid /data/again',
        'mkdir /new && echo x > /new/file',
      ].join(' && '),
    );
    const diff = (await dockerOk(page, 'diff', 'writer')).trimEnd().split('\n');
    for (const line of [
      'A /etc/motd',
      'C /data/kept',
      'D /data/fifo',
      'D /data/old',
      'A /data/moved',
      'A /data/moved/new',
      'A /data/again',
      'A /new',
      'A /new/file',
      'C /etc',
      'C /data',
    ]) {
      expect(diff).toContain(line);
    }
    expect(await dockerOk(page, 'run', '--rm', image, 'cat', '/data/kept', '/data/old/new')).toBe(
      'kept, and changed\nnew\n',
    );
    await dockerOk(page, 'rm', 'writer');
  });

  it('survives a reload: containers are there, stopped, with what was written', async () => {
    await dockerOk(
      page,
      'run',
      '-d',
      '--name',
      'kept',
      'busybox',
      'sh',
      '-c',
      'echo written | dd of=/root/file conv=fsync; touch /tmp/synced; exec sleep 1000',
    );
    // fsync has returned: from here on nothing may lose it
    await expect
      .poll(async () => (await docker(page, 'exec', 'kept', 'test', '-e', '/tmp/synced')).exitCode)
      .toBe(0);
    await page.reload();
    expect(await dockerOk(page, 'ps', '-a', '--filter', 'name=kept', '--format', '{{.Status}}')).toMatch(
      /^Exited \(/,
    );
    const kept = await page.evaluate(async () =>
      new TextDecoder().decode(await window.sandbox.files('kept').read('/root/file')),
    );
    expect(kept).toBe('written\n');
    await dockerOk(page, 'start', 'kept');
    expect(await dockerOk(page, 'exec', 'kept', 'pwd')).toBe('/\n');
    await dockerOk(page, 'rm', '-f', 'kept');
    await shows(page, prompt);
    await page.keyboard.press('ArrowUp');
    await shows(page, /[$#] \S+/);
  });
});

it('the page raised no error', () => {
  expect(chromium.complaints.filter((text) => !/Failed to load resource|CORS policy/.test(text))).toEqual([]);
});
