import { line, type Session, within } from '../../support/course.ts';

/** Containers: started, looked into, spoken with, stopped, removed. */
export const CONTAINERS: readonly Session[] = [
  {
    title: 'hello, and nothing is left',
    lines: [
      line('docker run --rm busybox echo hello from a container', /^hello from a container$/),
      line('docker ps -a', /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/),
      line('docker run busybox uname -s', /^Linux$/),
      line('docker ps -a --format "{{.Image}} {{.Command}} {{.Status}}"', /^busybox "uname -s" Exited \(0\)/),
      line('docker rm $(docker ps -lq)', /^[0-9a-f]{12}$/),
    ],
  },
  {
    title: 'created, started, over',
    lines: [
      line('docker create --name greeter busybox echo good morning', /^[0-9a-f]{64}$/),
      line('docker ps', /NAMES$/),
      line('docker ps -a', /greeter$/),
      line("docker inspect -f '{{.State.Status}}' greeter", /^created$/),
      line('docker start -a greeter', /^good morning$/),
      line('docker start -a greeter', /^good morning$/),
      line('docker logs greeter', /^good morning\ngood morning$/),
      line('docker rm greeter', /^greeter$/),
    ],
  },
  {
    title: 'a shell of its own, broken and made new',
    lines: [
      within('/ #', 'docker run -it --name box -h lab busybox sh'),
      within('/ #', 'hostname', /^lab$/),
      within('/ #', 'echo kept > /root/note; rm -rf /etc/group'),
      line('exit 3', undefined, 3),
      line('docker ps -a --format "{{.Names}} {{.Status}}"', /^box Exited \(3\)/),
      line('docker diff box', /^C \/etc\nD \/etc\/group\nC \/root\nA \/root\/note$/),
      within('/ #', 'docker start -ai box'),
      within('/ #', 'cat /root/note', /^kept$/),
      line('exit'),
      line('docker rm box', /^box$/),
      line('docker run --rm busybox ls /etc/group', /^\/etc\/group$/),
    ],
  },
  {
    title: 'in the background, and into it with exec',
    lines: [
      line('docker run -d --name app -e COLOUR=blue busybox sleep 1000', /^[0-9a-f]{64}$/),
      line('docker ps', /busybox +"sleep 1000" .*Up .*second.* app$/),
      line("docker exec app sh -c 'echo $COLOUR > /tmp/seen'"),
      line("docker exec -w /tmp -e COLOUR=red app sh -c 'pwd; cat seen; echo $COLOUR'", /^\/tmp\nblue\nred$/),
      within('/ #', 'docker exec -it app sh'),
      within('/ #', 'ps | grep -c "sleep 100[0]"', /^1$/),
      line('exit'),
      line('docker exec app false', undefined, 1),
      line('docker exec app nonsense', /exec: "nonsense": executable file not found in \$PATH/, 127),
      line('docker rm -f app', /^app$/),
    ],
  },
  {
    title: 'logs: all, the end, followed, both streams',
    lines: [
      line("docker run -d --name talk busybox sh -c 'for i in 1 2 3; do echo line $i; done; echo oops >&2'"),
      line('docker wait talk', /^0$/),
      line('docker logs talk', /^line 1\nline 2\nline 3\noops$/),
      line('docker logs -n 2 talk', /^line 3\noops$/),
      line('docker logs talk 2>/dev/null | wc -l', /^3$/),
      line('docker logs -t talk | head -1', /^\d{4}-\d\d-\d\dT[\d:.]+Z line 1$/m),
      line('docker rm talk'),
      line("docker run -d --name clock busybox sh -c 'while :; do echo tick; sleep 0.2; done'"),
      {
        type: 'docker logs -f clock',
        shows: /tick\ntick/,
        press: 'Control+C',
        status: 130,
      },
      line('docker rm -f clock'),
    ],
  },
  {
    title: 'stopped, killed, waited for',
    lines: [
      line('docker run -d --init --name one busybox sleep 1000'),
      line('docker stop one', /^one$/),
      line("docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' one", /^exited 143$/),
      line('docker run -d --name two busybox sh -c \'trap "exit 9" USR1; while :; do sleep 0.1; done\''),
      line('docker kill -s USR1 two && docker wait two', /^two\n9$/),
      line('docker start two && docker kill two && docker wait two', /^two\ntwo\n137$/),
      line('docker restart -t 0 two && docker ps -q | wc -l', /^two\n1$/),
      line('docker rm -f one two', /^one\ntwo$/),
    ],
  },
  {
    title: 'held still, and another name',
    lines: [
      line("docker run -d --name old busybox sh -c 'while :; do date +%s%N; sleep 0.1; done'"),
      line('docker pause old', /^old$/),
      line('docker ps', /\(Paused\)/),
      line('docker exec old true', /is paused, unpause the container before exec/, 1),
      line('docker unpause old && docker rename old new', /^old$/),
      line("docker ps --format '{{.Names}} {{.State}}'", /^new running$/),
      line('docker rm old', /No such container: old/, 1),
      line('docker rm -f new', /^new$/),
    ],
  },
  {
    title: 'what runs in it and what it takes',
    lines: [
      line('docker run -d --name busy -m 32m busybox sh -c "sleep 999 & sleep 1000"'),
      line('docker top busy', /^UID +PID +PPID +C +STIME +TTY +TIME +CMD\n[\s\S]*\d+ +sleep 999$/m),
      line('docker stats --no-stream busy', /^CONTAINER ID +NAME +CPU %[\s\S]*busy.*\/ 32MiB/),
      line("docker stats --no-stream --format '{{.Name}} {{.PIDs}}'", /^busy 2$/),
      line('docker rm -f busy'),
      line('docker top busy', /No such container: busy/, 1),
    ],
  },
  {
    title: 'an environment from a file',
    lines: [
      line('cat > app.env <<EOF\n# what the app is told\nNAME=harbour\nDEPTH=12\nEOF'),
      line('docker run --rm --env-file app.env busybox env', /^NAME=harbour\nDEPTH=12$/m),
      line("docker run --rm --env-file app.env -e DEPTH=3 busybox sh -c 'echo $NAME $DEPTH'", /^harbour 3$/),
      line("GREETING=hi docker run --rm -e GREETING busybox sh -c 'echo $GREETING'", /^hi$/),
      line(
        'docker run --rm --env-file none.env busybox true',
        /open none\.env: no such file or directory/,
        125,
      ),
      line('rm app.env'),
    ],
  },
  {
    title: 'as whom, where, and by which program',
    lines: [
      line(
        'docker run --rm -u 1000:50 -w /var/work busybox sh -c "id -u; id -g; pwd"',
        /^1000\n50\n\/var\/work$/,
      ),
      line('docker run --rm --entrypoint date busybox -u +%Z', /^UTC$/),
      line('docker run --rm --cap-drop CHOWN busybox chown 1 /etc', /Operation not permitted/, 1),
      line(
        'docker run --rm --read-only --tmpfs /tmp busybox sh -c "echo a > /tmp/a && cat /tmp/a; echo b > /b"',
        /^a\nsh: can't create \/b: Read-only file system$/,
        1,
      ),
      line('docker run --rm --add-host db:10.1.2.3 busybox grep db /etc/hosts', /^10\.1\.2\.3\s+db$/),
    ],
  },
  {
    title: 'left with the detach keys, and joined again',
    lines: [
      within('/ #', 'docker run -it --name long --detach-keys ctrl-x busybox sh'),
      { type: 'echo here', shows: /^here$/m, press: 'Control+X' },
      line('docker ps -q | wc -l', /^1$/),
      line('docker exec long kill -9 1; docker kill long', /^long$/),
      line('docker rm long', /^long$/),
    ],
  },
  {
    title: 'files copied in and out',
    lines: [
      line('docker create --name desk busybox true', /^[0-9a-f]{64}$/),
      line('mkdir papers; echo one > papers/a; echo two > papers/b'),
      line('docker cp papers desk:/srv', /^Successfully copied .* to desk:\/srv$/),
      line('docker cp desk:/srv/b - | tar -tf -', /^b$/),
      line('docker cp desk:/srv back && cat back/a back/b', /one\ntwo$/),
      line('docker cp desk:/none .', /Could not find the file \/none in container desk/, 1),
      line('rm -r papers back; docker rm desk'),
    ],
  },
  {
    title: 'a script starts five and ends them',
    lines: [
      line(
        'cat > five.sh <<"EOF"\nfor n in 1 2 3 4 5; do\n  docker run -d --name worker-$n -l team=blue busybox sleep 1000 > /dev/null\ndone\ndocker ps -q | wc -l\nEOF',
      ),
      line('sh five.sh', /^5$/),
      line("docker ps --filter name=worker-3 --format '{{.Names}}'", /^worker-3$/),
      line("docker ps -f label=team=blue --format '{{.Names}}' | sort | head -2", /^worker-1\nworker-2$/),
      line('docker ps -q | xargs docker rm -f | wc -l', /^5$/),
      line('rm five.sh'),
    ],
  },
];
