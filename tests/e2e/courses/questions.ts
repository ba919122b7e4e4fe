import { line, type Session } from '../../support/course.ts';

/** Lists, templates, events, and the whole tidied up. */
export const QUESTIONS: readonly Session[] = [
  {
    title: 'filters and formats',
    lines: [
      line(
        'docker create --name dev -l env=dev busybox > /dev/null; docker run -d --name prod -l env=prod busybox sleep 1000 > /dev/null',
      ),
      line(
        "docker ps -a --format 'table {{.Names}}\\t{{.State}}'",
        /^NAMES +STATE\nprod +running\ndev +created$/,
      ),
      line("docker ps -af status=created --format '{{.Names}}'", /^dev$/),
      line('docker ps -af label=env --format \'{{.Label "env"}}\' | sort', /^dev\nprod$/),
      line('docker ps -a --format json | grep -o \'"Names":"[a-z]*"\'', /^"Names":"prod"\n"Names":"dev"$/),
      line('docker ps -f colour=red', /invalid filter 'colour'/, 1),
      line('docker rm -f dev prod', /^dev\nprod$/),
    ],
  },
  {
    title: 'templates over inspect',
    lines: [
      line('docker run -d --name told -e A=1 -e B=2 -v data:/data busybox sleep 1000 > /dev/null'),
      line(
        "docker inspect -f '{{.Name}} {{.Config.Image}} {{upper .State.Status}}' told",
        /^\/told busybox RUNNING$/,
      ),
      line(
        "docker inspect -f '{{range .Mounts}}{{.Name}} on {{.Destination}}{{end}}' told",
        /^data on \/data$/,
      ),
      line(
        'docker inspect -f \'{{if .State.Running}}up{{else}}down{{end}} {{join .Config.Cmd "+"}}\' told',
        /^up sleep\+1000$/,
      ),
      line("docker inspect -f '{{json .Config.Cmd}}' told", /^\["sleep","1000"\]$/),
      line("docker inspect -f '{{.Config.Colour}}' told", /map has no entry for key "Colour"/, 1),
      line('docker inspect told | head -3', /^\[\n {4}\{\n {8}"Id": "[0-9a-f]{64}",$/),
      line('docker rm -f told && docker volume rm data', /^told\ndata$/),
    ],
  },
  {
    title: 'what happened, and when',
    lines: [
      line('T=$(date +%s); docker run --rm --name quick busybox true'),
      line(
        "docker events --since $T --until $(($(date +%s)+1)) --filter container=quick --format '{{.Action}}'",
        /^create\nattach\nstart\ndie\ndestroy$/,
      ),
      line(
        "docker events --since $T --until 0s -f event=die -f container=quick --format '{{.Actor.Attributes.exitCode}}'",
        /^0$/,
      ),
    ],
  },
  {
    title: 'everything tidied up',
    lines: [
      line('docker network create idle > /dev/null; docker volume create full > /dev/null'),
      line('docker run --name old -v full:/f busybox touch /f/a; docker tag busybox spare:1'),
      line(
        'docker system df',
        /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +1 +1 .*\nContainers +1 +0 .*\nLocal Volumes +1 +1 /,
      ),
      line('docker container prune -f', /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: /),
      line('docker network prune -f', /^Deleted Networks:\nidle$/),
      line('docker volume prune -af', /^Deleted Volumes:\nfull\n/),
      line(
        'docker rmi spare:1; docker system prune -f',
        /^Untagged: spare:1\n[\s\S]*^Total reclaimed space: 0B$/m,
      ),
      line('docker ps -aq | wc -l; docker volume ls -q | wc -l', /^0\n0$/),
    ],
  },
];
