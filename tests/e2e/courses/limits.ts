import { line, type Session } from '../../support/course.ts';

/** What bounds containers, watches over them and starts them again. */
export const LIMITS: readonly Session[] = [
  {
    title: 'out of memory',
    lines: [
      line("docker run --name hog -m 8m busybox sh -c 'x=a; while :; do x=$x$x; done'", undefined, 137),
      line("docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' hog", /^true 137$/),
      line("docker inspect -f '{{.HostConfig.Memory}}' hog", /^8388608$/),
      line('docker ps -a', /Exited \(137\)/),
      line('docker rm hog'),
    ],
  },
  {
    title: 'no more processes than that',
    lines: [
      line('docker run -d --name few --pids-limit 4 busybox sleep 1000'),
      line(
        "docker exec few sh -c 'for i in 1 2 3 4 5; do sleep 5 & done'",
        /can't fork: Resource temporarily unavailable/,
        2,
      ),
      line(
        "docker update --pids-limit 50 few && docker exec few sh -c 'sleep 0 & sleep 0 & sleep 0 & wait; echo fine'",
        /^few\nfine$/,
      ),
      line('docker rm -f few'),
    ],
  },
  {
    title: 'limits changed while it runs',
    lines: [
      line('docker run -d --name app -m 16m --cpus 0.5 busybox sleep 1000'),
      line(
        'docker exec app cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max',
        /^16777216\n50000 100000$/,
      ),
      line('docker update -m 24m --cpus 0.25 app', /^app$/),
      line(
        'docker exec app cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max',
        /^25165824\n25000 100000$/,
      ),
      line("docker inspect -f '{{.HostConfig.NanoCpus}}' app", /^250000000$/),
      line('docker rm -f app'),
    ],
  },
  {
    title: 'tried again, twice',
    lines: [
      line("docker run -d --name flaky --restart on-failure:2 busybox sh -c 'echo try; exit 4'"),
      line('until [ $(docker logs flaky | wc -l) = 3 ]; do sleep 0.2; done; docker wait flaky', /^4$/),
      line("docker inspect -f '{{.RestartCount}} {{.State.ExitCode}}' flaky", /^2 4$/),
      line('docker logs flaky', /^try\ntry\ntry$/),
      line('docker rm flaky'),
    ],
  },
  {
    title: 'always there, until it is stopped',
    lines: [
      line('docker run -d --name kept --restart always busybox sleep 1000'),
      line("docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' kept", /^always$/),
      line('docker exec kept kill -9 1; docker stop -t 0 kept', /^kept$/),
      line("docker ps -a --format '{{.State}}'", /^exited$/),
      line(
        "docker update --restart no kept && docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' kept",
        /^kept\nno$/,
      ),
      line('docker rm kept'),
    ],
  },
  {
    title: 'well, then ill',
    lines: [
      line(
        "docker run -d --name probed --health-cmd 'test ! -e /ill' --health-interval 200ms --health-retries 2 busybox sleep 1000",
      ),
      line("status() { docker inspect -f '{{.State.Health.Status}}' probed; }"),
      line('until [ $(status) = healthy ]; do sleep 0.1; done; docker ps', /\(healthy\)/),
      line(
        'docker exec probed touch /ill; until [ $(status) = unhealthy ]; do sleep 0.1; done; status',
        /^unhealthy$/,
      ),
      line("docker ps -f health=unhealthy --format '{{.Names}}'", /^probed$/),
      line('docker rm -f probed'),
    ],
  },
];
