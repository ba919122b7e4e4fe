import { line, type Session } from '../../support/course.ts';

/** What outlives a container: volumes and folders of the home. */
export const STORAGE: readonly Session[] = [
  {
    title: 'a volume outlives its containers',
    lines: [
      line('docker volume create notes', /^notes$/),
      line("docker run --rm -v notes:/data busybox sh -c 'echo first > /data/log'"),
      line(
        "docker run --rm -v notes:/data busybox sh -c 'echo second >> /data/log; cat /data/log'",
        /^first\nsecond$/,
      ),
      line('docker volume ls', /^DRIVER +VOLUME NAME\nlocal +notes$/),
      line("docker volume inspect -f '{{.Name}} {{.Driver}} {{.Scope}}' notes", /^notes local local$/),
      line('docker volume rm notes', /^notes$/),
    ],
  },
  {
    title: 'two containers share one',
    lines: [
      line('docker run -d --name writer -v shared:/out busybox sh -c "echo ready > /out/state; sleep 1000"'),
      line('docker run -d --name reader -v shared:/in:ro busybox sleep 1000'),
      line('docker exec writer sh -c "echo 42 > /out/answer" && docker exec reader cat /in/answer', /^42$/),
      line('docker exec reader touch /in/mine', /Read-only file system/, 1),
      line('docker volume rm shared', /volume is in use/, 1),
      line('docker rm -f writer reader && docker volume rm shared', /^writer\nreader\nshared$/),
    ],
  },
  {
    title: 'a new volume starts with what the image has there',
    lines: [
      line('docker run --rm -v conf:/etc busybox ls /etc/passwd', /^\/etc\/passwd$/),
      line(
        'docker run --rm --mount type=volume,src=conf,dst=/c,readonly busybox ls /c/passwd',
        /^\/c\/passwd$/,
      ),
      line('docker run --rm --volumes-from nobody busybox true', /No such container: nobody/, 125),
      line('docker volume rm conf', /^conf$/),
    ],
  },
  {
    title: 'volumes without a name go with their container, or are pruned',
    lines: [
      line('docker run --rm -v /cache busybox touch /cache/a'),
      line('docker volume ls -q | wc -l', /^0$/),
      line('docker run --name left -v /cache busybox touch /cache/a && docker rm left'),
      line('docker volume ls -qf dangling=true', /^[0-9a-f]{64}$/),
      line('docker volume prune -f', /^Deleted Volumes:\n[0-9a-f]{64}\n\nTotal reclaimed space: /),
      line(
        'docker run --name gone -v /cache busybox true && docker rm -v gone && docker volume ls -q',
        /^gone$/,
      ),
    ],
  },
  {
    title: 'a folder of the home, mounted',
    lines: [
      line('mkdir site && echo "<h1>draft</h1>" > site/index.html'),
      line('docker run -d --name web -v $PWD/site:/www:ro busybox httpd -f -h /www'),
      line('docker exec web wget -qO- localhost', /^<h1>draft<\/h1>$/),
      line('echo "<h1>done</h1>" > site/index.html; docker exec web wget -qO- localhost', /^<h1>done<\/h1>$/),
      line(
        'docker run --rm --mount type=bind,src=$PWD/site,dst=/w busybox sh -c "echo ok > /w/from" && cat site/from',
        /^ok$/,
      ),
      line(
        'docker run --rm --mount type=bind,src=$PWD/none,dst=/w busybox true',
        /bind source path does not exist: .*\/none/,
        125,
      ),
      line('docker rm -f web; rm -r site', /^web$/),
    ],
  },
];
